"""The pytest plugin: an engine for each test, a marker, and the static checks as test items.

Nothing of the engine is imported before a test asks for it.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, Final

import pytest
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from everstep.check import Finding
    from everstep.testing.engine import TestEngine

_TO_VERIFY: Final = pytest.StashKey["TestEngine"]()
# What is to be checked: where a file is, and how it was named.
_SOURCES: Final = pytest.StashKey["dict[Path, Path]"]()
_CHECK: Final = "everstep"
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
    """Register the marker, find the files to check, say whether golden files are renewed.

    Raises:
        UsageError: A target of the check is neither a path nor a module. It is said here, since
            a distributed run collects in its workers, which can tell nobody.
    """
    if config.getoption("--everstep-update-golden"):
        # As the option would be set by hand; workers of a distributed run inherit it.
        os.environ["EVERSTEP_UPDATE_GOLDEN"] = "1"  # noqa: TID251 - a setting of tests
    config.addinivalue_line("markers", _MARKER)
    config.stash[_SOURCES] = _sources(config.getoption("--everstep-check"))


# --- The fixture and its marker


@pytest.fixture
def everstep_engine(request: pytest.FixtureRequest) -> TestEngine:
    """Give a test engine of its own to a test; the marker ``everstep`` says what is deployed.

    When the test has passed its runs are checked: each must replay to what is recorded.
    """
    from everstep.testing.engine import TestEngine

    marker = request.node.get_closest_marker("everstep")
    if marker is None:
        marker = pytest.mark.everstep().mark
    wrong = _misuse(marker)
    if wrong is not None:
        pytest.fail(f"@pytest.mark.everstep {wrong}", pytrace=False)
    engine = TestEngine(marker.args, limits=marker.kwargs.get("limits"))
    if marker.kwargs.get("verify", True):
        request.node.stash[_TO_VERIFY] = engine
    return engine


def _misuse(marker: pytest.Mark) -> str | None:
    from everstep.app.engine import Limits
    from everstep.authoring.workflows import Workflow

    for each in marker.args:
        if not isinstance(each, Workflow):
            return f"takes workflows, not {each!r}; is @workflow missing?"
    for name, value in marker.kwargs.items():
        if name not in {"limits", "verify"}:
            return f"takes limits= and verify=, not {name}="
        if name == "verify" and not isinstance(value, bool):
            return f"takes verify=True or verify=False, not {value!r}"
        if name == "limits" and not isinstance(value, Limits | None):
            return f"takes everstep.testing.Limits as limits=, not {value!r}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Verify the runs of a test that has passed, while it counts as the test's own outcome."""
    yield
    engine = item.stash.get(_TO_VERIFY, None)
    if engine is None:
        return
    from everstep.core.invariants import ViolationError

    try:
        engine.verify()
    except ViolationError as violation:
        # With its cause, the same text would be told twice.
        raise pytest.fail.Exception(f"after the test: {violation}", pytrace=False) from None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, name: str, obj: Any) -> None:  # noqa: ANN401 - whatever a module holds
    """Notice a marker that took a plain function in place of a workflow.

    To pytest a marker with one function is a marker *of* that function, which is then called with
    the test and leaves a coroutine in its place: the test would be gone, without a word.

    Raises:
        CollectError: That is so.
    """
    a_test = collector.funcnamefilter(name) or collector.classnamefilter(name)
    in_place_of_a_test = inspect.iscoroutine(obj) and a_test
    marked = inspect.isfunction(obj) and not a_test and _bears_the_bare_marker(obj)
    if not in_place_of_a_test and not marked:
        return
    _close_coroutines(collector.obj)
    function = obj.__name__
    raise collector.CollectError(
        f"{function} is no workflow, but a test is marked with it, and would not be run: "
        f"@pytest.mark.everstep({function}). Is @workflow missing at {function}?"
    )


def _close_coroutines(holder: object) -> None:
    """Close what stands in place of tests: nobody will await it, and Python would complain."""
    for value in vars(holder).values():
        if inspect.iscoroutine(value):
            value.close()
        elif inspect.isclass(value) and value.__module__ == getattr(holder, "__name__", None):
            _close_coroutines(value)


def _bears_the_bare_marker(function: object) -> bool:
    marks = getattr(function, "pytestmark", ())
    found = [mark for mark in marks if isinstance(mark, pytest.Mark) and mark.name == "everstep"]
    return any(not mark.args and not mark.kwargs for mark in found)


# --- The static check


def _sources(targets: list[str]) -> dict[Path, Path]:
    if not targets:
        return {}
    from everstep.check import CheckTargetError, find_sources

    sources: dict[Path, Path] = {}
    for target in targets:
        try:
            found = find_sources(target)
        except CheckTargetError as error:
            raise pytest.UsageError(f"--everstep-check: {error}") from error
        for source in found:
            sources.setdefault(source.resolve(), source)
    return sources


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CheckFile | None:
    """Collect a file that is to be checked where pytest comes across it."""
    sources = parent.config.stash[_SOURCES]
    # Without the option no path is looked at.
    source = sources.get(file_path.resolve()) if sources else None
    if source is None:
        return None
    return CheckFile.from_parent(parent, path=file_path, source=source)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the files that pytest did not come across, unless single checks are asked for."""
    if any(argument.endswith(f"::{_CHECK}") for argument in config.args):
        return
    known = {item.path.resolve() for item in items if isinstance(item, CheckItem)}
    for path, source in config.stash[_SOURCES].items():
        if path not in known:
            items += CheckFile.from_parent(session, path=path, source=source).collect()


class MistakesError(Exception):
    """Carries the findings of one file to the report."""

    def __init__(self, findings: list[Finding]) -> None:
        """Keep the findings."""
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))


class CheckFile(pytest.File):
    """A file that is to be checked."""

    def __init__(self, *, source: Path, **kwargs: Any) -> None:  # noqa: ANN401 - pytest's own
        """Keep how the file was named."""
        super().__init__(**kwargs)
        self.source = source

    @override
    def collect(self) -> list[CheckItem]:
        """Give the one check of the file."""
        return [CheckItem.from_parent(self, name=_CHECK, source=self.source)]


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
        return self.path, None, f"everstep check {self.source}"
