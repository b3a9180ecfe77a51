"""``# noqa`` comments, as flake8 and ruff understand them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.check.findings import Finding

_CODE: Final = r"[A-Z]+[0-9]+"
_NOQA: Final = re.compile(rf"#\s*noqa(?::\s*(?P<codes>{_CODE}(?:[,\s]+{_CODE})*))?", re.IGNORECASE)


def is_suppressed(finding: Finding, lines: Sequence[str]) -> bool:
    """Say whether a comment on the finding's line takes it back, all findings or this code.

    A code may be shortened: ``EVS1`` takes back all that begins with it.
    """
    comment = _NOQA.search(lines[finding.line - 1])
    if comment is None:
        return False
    codes = re.findall(_CODE, (comment["codes"] or "").upper())
    return not codes or finding.code.startswith(tuple(codes))
