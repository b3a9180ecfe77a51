"""The pytest plugin: an engine for each test, a marker, and the static checks as test items.

Nothing of the engine is imported before a test asks for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from everstep.check import Finding
    from everstep.testing.engine import TestEngine

_FAILED: Final = pytest.StashKey[bool]()
_MARKER: Final = (
    "everstep(*workflows, limits=None, verify=True): what the fixture everstep_engine deploys, and "
    "whether it checks the invariants of every run after the test"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options of this plugin."""
    group = parser.getgroup("everstep", "durable workflows (Everstep)")
    group.addoption(
        "--everstep-check",
        action="append",
        default=[],
        metavar="TARGET",
        help="look for determinism mistakes in the workflows of a module, file or folder; each "
        "file is a test item (may be given several times)",
    )
    group.addoption(
        "--everstep-update-golden",
        action="store_true",
        help="record the histories of golden files anew instead of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; tell the functions for golden files whether to renew them."""
    if config.getoption("--everstep-update-golden"):
        # As the option would be set by hand; workers of a distributed run inherit it.
        os.environ["EVERSTEP_UPDATE_GOLDEN"] = "1"  # noqa: TID251 - a setting of tests
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def everstep_engine(request: pytest.FixtureRequest) -> Iterator[TestEngine]:
    """Give a test engine of its own to a test; the marker ``everstep`` says what is deployed.

    After a test that passed its runs are checked: each must replay to what is recorded.
    """
    from everstep.core.invariants import ViolationError
    from everstep.testing.engine import TestEngine

    marker = request.node.get_closest_marker("everstep")
    options = dict(marker.kwargs) if marker is not None else {}
    verify = options.pop("verify", True)
    engine = TestEngine(marker.args if marker is not None else (), **options)
    yield engine
    if not verify or request.node.stash.get(_FAILED, False):
        return
    try:
        engine.verify()
    except ViolationError as violation:
        pytest.fail(f"after the test: {violation}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test failed: its runs are then as they should not be anyway."""
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed
    return report


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add an item for each file that is to be checked.

    Raises:
        UsageError: A target is neither a path nor a module.
    """
    targets = config.getoption("--everstep-check")
    if not targets:
        return
    from everstep.check import CheckTargetError, find_sources

    for target in targets:
        try:
            sources = find_sources(target)
        except CheckTargetError as error:
            raise pytest.UsageError(f"--everstep-check: {error}") from error
        items += [
            CheckItem.from_parent(session, name=f"everstep check {source}", source=source)
            for source in sources
        ]


class MistakesError(Exception):
    """Carries the findings of one file to the report."""

    def __init__(self, findings: list[Finding]) -> None:
        """Keep the findings."""
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))


class CheckItem(pytest.Item):
    """The static check of one file."""

    def __init__(self, *, source: Path, **kwargs: Any) -> None:  # noqa: ANN401 - pytest's own
        """Keep which file."""
        super().__init__(**kwargs)
        self.source = source

    @override
    def runtest(self) -> None:
        """Check the file.

        Raises:
            MistakesError: There are findings.
        """
        from everstep.check import check_paths

        findings = check_paths([self.source])
        if findings:
            raise MistakesError(findings)

    @override
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show the findings, and no traceback into this plugin."""
        if isinstance(excinfo.value, MistakesError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    @override
    def reportinfo(self) -> tuple[Path, None, str]:
        """Say what failed."""
        return self.source, None, self.name
