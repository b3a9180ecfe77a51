"""From options and environment to an engine."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.cli import stacks
from everstep.cli.exits import usage
from everstep.cli.printing import line
from everstep.core.errors import DefinitionError
from everstep.loading import load_registry
from everstep.settings import Settings
from everstep.wiring import build_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.app.engine import Engine
    from everstep.authoring.registry import Registry
    from everstep.cli.options import Target
    from everstep.cli.session import Session
    from everstep.wiring import Clients

_NEEDED: Final[Mapping[str, str]] = {
    "EVERSTEP_TABLE": "no table",
    "EVERSTEP_BUCKET": "no bucket",
}
# Where template.yaml takes workflows from, seen from the project's folder.
_LAYER: Final = Path("layers", "workflows", "python")


def connect_reader(session: Session, target: Target) -> Engine:
    """Return an engine that reads the deployment and cannot write to it.

    Options come before the stack, and the stack before the environment. Workflows are imported
    from the current folder as well; what they print on import goes to standard error, and
    modules that cannot be imported are named there.

    Raises:
        EverstepError: Something is missing or wrong; see ``failures.explain``.
    """
    _check_address(target.endpoint_url)
    clients = session.readers(
        profile=target.profile, region=target.region, endpoint_url=target.endpoint_url
    )
    settings = Settings.for_reading(_variables(session.environment, target, clients))
    session.place = _place(settings, target)
    _import_from_here()
    with redirect_stdout(sys.stderr):
        engine = build_engine(settings, clients)
    _warn(session, engine.registry)
    return engine


def registry_at_hand(session: Session, target: Target) -> Registry:
    """Return the workflows at hand, where no deployment is looked at."""
    named = target.workflows or session.environment.get("EVERSTEP_WORKFLOWS") or "workflows"
    _import_from_here()
    with redirect_stdout(sys.stderr):
        registry = load_registry([name.strip() for name in named.split(",") if name.strip()])
    _warn(session, registry)
    return registry


def faults_of(registry: Registry) -> dict[str, str]:
    """Return modules that cannot be imported, and why."""
    return {module: _reason(error) for module, error in registry.faults.items()}


def _warn(session: Session, registry: Registry) -> None:
    for module, error in registry.faults.items():
        what = f"{module} cannot be imported, its workflows are left out: "
        line(session.err, ("warning: ", "yellow"), f"{what}{type(error).__name__}: {error}")


def configured_faults(session: Session, target: Target, engine: Engine) -> dict[str, str]:
    """Return modules that somebody has named and that cannot be imported, and why.

    Nobody has named the package that is looked for where nothing is said. Reasons go into
    reports: what a module raises of its own is told by its type.
    """
    named = (target.workflows, target.stack, session.environment.get("EVERSTEP_WORKFLOWS"))
    if not any(named):
        return {}
    return faults_of(engine.registry)


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    told = isinstance(error, ImportError | SyntaxError | DefinitionError)
    return f"it cannot be imported: {kind}{f': {error}' if told else ''}"


def _check_address(url: str | None) -> None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise usage(f"--endpoint-url must begin with http:// or https://, not {url!r}")


def _variables(environment: Mapping[str, str], target: Target, clients: Clients) -> dict[str, str]:
    stacked = {} if target.stack is None else stacks.variables(clients, target.stack)
    typed = {
        "EVERSTEP_TABLE": target.table,
        "EVERSTEP_BUCKET": target.bucket,
        "EVERSTEP_QUEUE_URL": target.queue_url,
        "EVERSTEP_WORKFLOWS": target.workflows,
    }
    given = {name: value for name, value in typed.items() if value is not None}
    variables = {**environment, **stacked, **given}
    if missing := [name for name in _NEEDED if not variables.get(name, "").strip()]:
        raise usage(
            f"{' and '.join(_NEEDED[name] for name in missing)} to look at: give --stack, "
            f"or --table and --bucket, or set {' and '.join(missing)}"
        )
    return variables


def _place(settings: Settings, target: Target) -> str:
    parts = [f"table {settings.table}", f"bucket {settings.bucket}"]
    if target.region is not None:
        parts.append(f"region {target.region}")
    if target.endpoint_url is not None:
        parts.append(f"at {target.endpoint_url}")
    return ", ".join(parts)


def _import_from_here() -> None:
    """Look for workflows where ``python -m`` would, and where the template does."""
    for folder in (Path.cwd() / _LAYER, Path.cwd()):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
