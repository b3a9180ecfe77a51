"""From options, environment and profile to a client, or to an engine that reads."""

from __future__ import annotations

import getpass
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.cli import stacks
from everstep.cli.exits import usage
from everstep.cli.place import PARTS, VARIABLES, find_place
from everstep.cli.printing import line
from everstep.core.errors import DefinitionError
from everstep.loading import load_registry
from everstep.settings import Settings
from everstep.wiring import build_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from everstep import Client
    from everstep.app.engine import Engine
    from everstep.authoring.registry import Registry
    from everstep.cli.options import Target
    from everstep.cli.session import MakeClients, Session
    from everstep.client.keys import KeyRing
    from everstep.client.signing import SignedByAws
    from everstep.wiring import Clients

_TO_READ: Final[Mapping[str, str]] = {
    "EVERSTEP_TABLE": "--table",
    "EVERSTEP_BUCKET": "--bucket",
}
_TO_WRITE: Final[Mapping[str, str]] = {**_TO_READ, "EVERSTEP_QUEUE_URL": "--queue-url"}
_NOWHERE: Final = (
    "no deployment is chosen: give --url, or --stack, or a --profile that says one, "
    "or set EVERSTEP_URL or EVERSTEP_STACK"
)
# Where template.yaml takes workflows from, seen from the project's folder.
_LAYER: Final = Path("layers", "workflows", "python")
_SECONDS: Final = 30.0
_HASTY_SECONDS: Final = 2.0


def connect(session: Session, target: Target, *, hasty: bool = False) -> Client:
    """Return a client of the deployment: over HTTP if a url says where it is, else on AWS itself.

    Args:
        session: What to print to and ask.
        target: What was typed.
        hasty: Whether no answer is better than a late one; then nothing is told, either.

    Raises:
        EverstepError: Something is missing or wrong; see ``failures.explain``.
    """
    place = find_place(target, session.environment)
    if not hasty:
        _warn_of(session, place.warnings)
    if place.over_http:
        return _over_http(session, place.target, hasty=hasty)
    return _on_aws(session, place.target)


def _over_http(session: Session, target: Target, *, hasty: bool) -> Client:
    from everstep import Client
    from everstep.client.client import said_by
    from everstep.client.over_http import ATTEMPTS, HttpTransport

    session.place = str(target.url)
    transport = HttpTransport(
        session.place,
        said_by(_actor(target), target.key),
        timeout=_HASTY_SECONDS if hasty else _SECONDS,
        attempts=1 if hasty else ATTEMPTS,
        auth=_signed(target) if target.auth == "iam" else None,
    )
    return Client.over(transport)


def _signed(target: Target) -> SignedByAws:
    from everstep.adapters.signing import AwsIdentity
    from everstep.client.signing import SignedByAws

    return SignedByAws(AwsIdentity(target.aws_profile, target.region))


def _on_aws(session: Session, target: Target) -> Client:
    from everstep import Client
    from everstep.client.client import said_by
    from everstep.client.direct import DirectTransport

    if target.stack is None and target.table is None:
        raise usage(_NOWHERE)
    engine = _engine(session, target, session.clients, _TO_WRITE)
    transport = DirectTransport(lambda: engine, said_by(_actor(target)), session.sleep)
    return Client.over(transport)


@contextmanager
def connect_keys(session: Session, target: Target) -> Iterator[KeyRing]:
    """Give the API keys of the deployment: over HTTP with an admin's key, else at its table.

    The table alone will do: there is no other way to the first key.

    Raises:
        EverstepError: Something is missing or wrong; see ``failures.explain``.
    """
    from everstep.client.keys import KeysAtTable
    from everstep.wiring import build_keys

    place = find_place(target, session.environment)
    if place.over_http:
        with session.connect(session, target) as client:
            yield client.keys
        return
    _warn_of(session, place.warnings)
    found = place.target
    if found.stack is None and found.table is None:
        raise usage(_NOWHERE)
    _check_address(found.endpoint_url)
    clients = session.clients(
        profile=found.aws_profile, region=found.region, endpoint_url=found.endpoint_url
    )
    stacked = {} if found.stack is None else stacks.variables(clients, found.stack)
    table = found.table or stacked["EVERSTEP_TABLE"]
    session.place = f"table {table}"
    yield KeysAtTable(build_keys(table, clients))


def _actor(target: Target) -> str | None:
    """Return who asks; a name that no header can carry is left out."""
    try:
        name = target.actor or getpass.getuser()
    except (KeyError, OSError):
        return None
    return name if name.isascii() and name.isprintable() else None


def connect_reader(session: Session, target: Target) -> Engine:
    """Return an engine that reads the deployment and cannot write to it.

    Options come before the stack, and the stack before the environment. Workflows are imported
    from the current folder as well; what they print on import goes to standard error, and
    modules that cannot be imported are named there.

    Raises:
        EverstepError: Something is missing or wrong; see ``failures.explain``.
    """
    place = find_place(target, session.environment, directly=True)
    _warn_of(session, place.warnings)
    return _engine(session, place.target, session.readers, _TO_READ)


def _engine(
    session: Session,
    target: Target,
    make: MakeClients,
    needed: Mapping[str, str],
) -> Engine:
    _check_address(target.endpoint_url)
    clients = make(
        profile=target.aws_profile, region=target.region, endpoint_url=target.endpoint_url
    )
    variables = _variables(session.environment, target, clients, needed)
    settings = Settings.for_reading(variables)
    session.place = _place(settings, target)
    _import_from_here()
    with redirect_stdout(sys.stderr):
        engine = build_engine(settings, clients)
    _warn(session, engine.registry)
    return engine


def _warn_of(session: Session, warnings: Iterable[str]) -> None:
    for each in warnings:
        line(session.err, ("warning: ", "yellow"), each)


def registry_at_hand(session: Session, target: Target) -> Registry:
    """Return the workflows at hand, where no deployment is looked at."""
    found = find_place(target, session.environment, directly=True).target
    named = found.workflows or "workflows"
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
    found = find_place(target, session.environment, directly=True).target
    if found.workflows is None and found.stack is None:
        return {}
    return faults_of(engine.registry)


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    told = isinstance(error, ImportError | SyntaxError | DefinitionError)
    return f"it cannot be imported: {kind}{f': {error}' if told else ''}"


def _check_address(url: str | None) -> None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise usage(f"--endpoint-url must begin with http:// or https://, not {url!r}")


def _variables(
    environment: Mapping[str, str], target: Target, clients: Clients, needed: Mapping[str, str]
) -> dict[str, str]:
    stacked = {} if target.stack is None else stacks.variables(clients, target.stack)
    ours = {VARIABLES[name] for name in PARTS}
    others = {name: value for name, value in environment.items() if name not in ours}
    parts = {VARIABLES[name]: getattr(target, name) for name in PARTS}
    given = {name: value for name, value in parts.items() if value is not None}
    variables = {**others, **stacked, **given}
    if missing := [name for name in needed if not variables.get(name, "").strip()]:
        no = " and ".join(
            f"no {needed[name].removeprefix('--').partition('-')[0]}" for name in missing
        )
        raise usage(
            f"{no} to look at: give --stack, or {' and '.join(needed.values())}, "
            f"or set {' and '.join(missing)}"
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
