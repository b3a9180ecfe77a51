"""The test kit for workflows: the real engine in memory, in virtual time, without a network.

>>> from everstep.testing import TestEngine
>>> engine = TestEngine([my_workflow])
>>> run = engine.start(my_workflow, my_input)
>>> engine.run_until_idle()
"""

from everstep.app.engine import Limits
from everstep.core.documents import HistoryFormatError
from everstep.core.invariants import ViolationError
from everstep.core.replay_reports import ReplayReport, Verdict
from everstep.testing.counterexamples import Counterexample, CrashMatrixError
from everstep.testing.crash import Crash
from everstep.testing.crash_matrix import CrashReport, crash_matrix
from everstep.testing.determinism import (
    DeterminismReport,
    NotReplayedWarning,
    assert_deterministic,
)
from everstep.testing.differences import Cause, DeterminismError
from everstep.testing.engine import TestEngine
from everstep.testing.handles import HistoryEntry, TestRun
from everstep.testing.logs import LogLine
from everstep.testing.outcomes import Outcome
from everstep.testing.replaying import (
    GoldenMissingError,
    ReplayError,
    assert_replays,
    golden,
    load_history,
    replay,
    save_history,
)
from everstep.testing.stand_ins import Mock, MockCall

__all__ = [
    "Cause",
    "Counterexample",
    "Crash",
    "CrashMatrixError",
    "CrashReport",
    "DeterminismError",
    "DeterminismReport",
    "GoldenMissingError",
    "HistoryEntry",
    "HistoryFormatError",
    "Limits",
    "LogLine",
    "Mock",
    "MockCall",
    "NotReplayedWarning",
    "Outcome",
    "ReplayError",
    "ReplayReport",
    "TestEngine",
    "TestRun",
    "Verdict",
    "ViolationError",
    "assert_deterministic",
    "assert_replays",
    "crash_matrix",
    "golden",
    "load_history",
    "replay",
    "save_history",
]
