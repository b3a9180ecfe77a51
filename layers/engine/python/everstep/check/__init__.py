"""Find determinism mistakes in workflow code by reading it; nothing is imported or executed.

The way of a module through this package:

* ``binder`` walks its syntax tree once and notes ``scopes``: what binds each name;
* ``resolver`` says what an expression stands for, for example ``datetime.datetime.now``;
* ``roles`` finds workflows and steps, and follows calls from workflow code;
* ``calls``, ``operations``, ``ordering``, ``catching`` and ``mutations`` look at the code, with the
  ``catalogue`` of what workflow code may not call;
* ``memos`` knows what is made once and kept, ``depth`` makes room for deep nesting;
* ``checker`` puts it together; ``suppression`` reads ``noqa``; ``sources`` finds the files;
* ``flake8`` offers the same to flake8.

When in doubt nothing is reported: a false alarm costs more trust than a missed mistake, which the
engine may still notice when the workflow runs.
"""

from everstep.check.checker import check_source
from everstep.check.findings import Checked, Finding, Rule
from everstep.check.rules import RULES, UNREADABLE
from everstep.check.sources import (
    CheckTargetError,
    check_file,
    check_paths,
    distinct,
    find_sources,
)

__all__ = [
    "RULES",
    "UNREADABLE",
    "CheckTargetError",
    "Checked",
    "Finding",
    "Rule",
    "check_file",
    "check_paths",
    "check_source",
    "distinct",
    "find_sources",
]
