"""The test kit for workflows: the real engine in memory, in virtual time, without a network.

>>> from everstep.testing import TestEngine
>>> engine = TestEngine([my_workflow])
>>> run = engine.start(my_workflow, my_input)
>>> engine.run_until_idle()
"""

from everstep.app.engine import Limits
from everstep.core.invariants import ViolationError
from everstep.testing.counterexamples import Counterexample, CrashMatrixError
from everstep.testing.crash import Crash
from everstep.testing.crash_matrix import CrashReport, crash_matrix
from everstep.testing.engine import TestEngine
from everstep.testing.handles import HistoryEntry, TestRun
from everstep.testing.logs import LogLine
from everstep.testing.outcomes import Outcome
from everstep.testing.stand_ins import Mock, MockCall

__all__ = [
    "Counterexample",
    "Crash",
    "CrashMatrixError",
    "CrashReport",
    "HistoryEntry",
    "Limits",
    "LogLine",
    "Mock",
    "MockCall",
    "Outcome",
    "TestEngine",
    "TestRun",
    "ViolationError",
    "crash_matrix",
]
