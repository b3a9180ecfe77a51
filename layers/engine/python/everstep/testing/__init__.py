"""The test kit for workflows: the real engine in memory, in virtual time, without a network.

>>> from everstep.testing import TestEngine
>>> engine = TestEngine([my_workflow])
>>> run = engine.start(my_workflow, my_input)
>>> engine.run_until_idle()
"""

from everstep.app.engine import Limits
from everstep.testing.crash import Crash
from everstep.testing.engine import TestEngine
from everstep.testing.handles import HistoryEntry, TestRun
from everstep.testing.logs import LogLine
from everstep.testing.stand_ins import Mock, MockCall

__all__ = [
    "Crash",
    "HistoryEntry",
    "Limits",
    "LogLine",
    "Mock",
    "MockCall",
    "TestEngine",
    "TestRun",
]
