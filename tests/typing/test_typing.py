"""Types flow through steps, workflows and the test kit: right uses pass, wrong ones do not."""

import re
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent


def complaints(path: Path) -> dict[int, str]:
    """Return what mypy --strict says about a file, by line."""
    root = HERE.parent.parent
    output, errors, _ = api.run(
        [
            f"--config-file={root / 'pyproject.toml'}",
            f"--cache-dir={root / '.everstep/cache/mypy-typing'}",
            "--no-error-summary",
            "--no-pretty",
            "--hide-error-context",
            str(path),
        ]
    )
    assert not errors
    found = re.findall(rf"{re.escape(path.name)}:(\d+): error: (.*)", output)
    return {int(line): text for line, text in found}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_right_uses_are_accepted() -> None:
    assert complaints(HERE / "good.py") == {}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_each_wrong_use_is_rejected_and_nothing_else(tmp_path: Path) -> None:
    text = (HERE / "bad.py").read_text(encoding="utf-8")
    checked = tmp_path / "bad.py"
    checked.write_text(text.replace("# mypy: ignore-errors", "#"), encoding="utf-8")
    lines = text.splitlines()
    marked = {at for at, line in enumerate(lines, 1) if line.endswith("# rejected")}

    found = complaints(checked)

    assert {at: lines[at - 1] for at in marked - found.keys()} == {}
    assert {at: found[at] for at in found.keys() - marked} == {}
