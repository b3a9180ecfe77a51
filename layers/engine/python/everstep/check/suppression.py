"""``# noqa`` comments, as flake8 and ruff understand them."""

from __future__ import annotations

import re
from typing import Final

_CODE: Final = r"[A-Z]+[0-9]+"
_NOQA: Final = re.compile(rf"#\s*noqa(?::\s*(?P<codes>{_CODE}(?:[,\s]+{_CODE})*))?", re.IGNORECASE)


def is_suppressed(code: str, line: str) -> bool:
    """Say whether a comment on a line takes back all findings, or those with this code.

    A code may be shortened: ``EVS1`` takes back all that begins with it.
    """
    comment = _NOQA.search(line)
    if comment is None:
        return False
    codes = re.findall(_CODE, (comment["codes"] or "").upper())
    return not codes or code.startswith(tuple(codes))
