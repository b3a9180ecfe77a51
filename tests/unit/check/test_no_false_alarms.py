"""The project's own workflows and documentation give no findings but those on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from everstep.check import check_paths, check_source
from tests.docs.snippets import snippets_of
from tests.docs.test_snippets import PAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Lines of pages that show a wrong way, or play a trick of tests, on purpose.
ON_PURPOSE: Final = {
    "docs/concepts.md": [
        ("EVS401", "global passes"),
        ("EVS301", "await asyncio.sleep(1)"),
    ],
    "docs/how-to/test-a-workflow.md": [
        ("EVS401", "sent.append((to, step_context().attempt))"),
        ("EVS401", "effects.append(seat)"),
        ("EVS401", "payments.append(amount)"),
        ("EVS401", "by_key.setdefault(step_context().idempotency_key, amount)"),
        ("EVS401", "tokens.append(token)"),
        ("EVS102", 'return await ctx.step(book, f"{random.randint(1, 30)}A")'),
    ],
    # What a step does in the outside world is a list of the page there.
    "docs/how-to/at-most-once.md": [
        ("EVS401", "sent.append(to)"),
        ("EVS401", "transfers[step_context().idempotency_key] = reference"),
    ],
    "docs/how-to/callbacks.md": [
        (
            "EVS401",
            "mails.append(token)  # in truth: a mail with a link that has the token in it",
        ),
    ],
    "docs/reference/http.md": [
        ("EVS401", "asked.append(token)  # in truth: a mail with a link"),
    ],
    "docs/reference/cli.md": [
        ("EVS101", 'return f"{datetime.now()}: call {name}"'),
    ],
}


@pytest.mark.parametrize(
    "path",
    [
        *sorted((ROOT / "layers/workflows/python/workflows").glob("*.py")),
        *sorted((ROOT / "tests/simulation").glob("workflows*.py")),
    ],
    ids=lambda path: path.name,
)
def test_the_projects_workflows_have_no_mistakes(path: Path) -> None:
    assert check_paths([path]) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_show_the_right_way_except_on_purpose(page: Path) -> None:
    source = program_of(page)
    lines = source.splitlines()
    shown = [(each.code, lines[each.line - 1].strip()) for each in check_source(source, str(page))]
    assert shown == ON_PURPOSE.get(str(page.relative_to(ROOT)), [])


def program_of(page: Path) -> str:
    """Return the Python blocks of a page as one module, each line where it stands in the page."""
    lines: list[str] = []
    for snippet in snippets_of(page):
        lines.extend([""] * (snippet.line - 1 - len(lines)))
        lines.extend(snippet.code.splitlines())
    return "\n".join(lines)
