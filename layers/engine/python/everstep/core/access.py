"""Who may call what: one table from call to scope, and what follows from it for a key.

======== ==========================================================================
scope    what it allows
======== ==========================================================================
trigger  start runs, and send them events
read     see runs, their results and audits, and what is deployed
control  pause, resume, cancel, retry and fork runs
admin    all of that, and API keys
======== ==========================================================================

``OPEN`` calls need no key: whoever answers a callback proves by its token that he may. A call
that is not in the table needs ``admin``, so that nothing is open by oversight.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Scope(StrEnum):
    """What a key may be good for."""

    TRIGGER = "trigger"
    READ = "read"
    CONTROL = "control"
    ADMIN = "admin"


OPEN: Final = None
"""In place of a scope: no key is asked for."""

CALLS: Final[Mapping[str, Scope | None]] = {
    "POST /triggers/<workflow>": Scope.TRIGGER,
    "POST /runs/<run_id>/events/<name>": Scope.TRIGGER,
    "GET /runs": Scope.READ,
    "GET /runs/<run_id>": Scope.READ,
    "GET /runs/<run_id>/result": Scope.READ,
    "GET /runs/<run_id>/audit": Scope.READ,
    "GET /runs/<run_id>/diagnosis": Scope.READ,
    "GET /runs/<run_id>/events": Scope.READ,
    "GET /runs/<run_id>/history": Scope.READ,
    "GET /runs/<run_id>/logs": Scope.READ,
    "GET /workflows": Scope.READ,
    "POST /runs/<run_id>/pause": Scope.CONTROL,
    "POST /runs/<run_id>/resume": Scope.CONTROL,
    "POST /runs/<run_id>/repair": Scope.CONTROL,
    "POST /runs/<run_id>/cancel": Scope.CONTROL,
    "POST /runs/<run_id>/retry": Scope.CONTROL,
    "POST /runs/<run_id>/fork": Scope.CONTROL,
    "POST /runs/<run_id>/remove": Scope.ADMIN,
    "GET /keys": Scope.ADMIN,
    "POST /keys": Scope.ADMIN,
    "DELETE /keys/<key_id>": Scope.ADMIN,
    "POST /keys/<key_id>/rotate": Scope.ADMIN,
    "POST /callbacks/<token>/complete": OPEN,
    "POST /callbacks/<token>/fail": OPEN,
    "POST /callbacks/<token>/heartbeat": OPEN,
    "GET /health": OPEN,
    "GET /openapi.json": OPEN,
}
_VARIABLE: Final = re.compile(r"<\w+>")
_NAMES_A_WORKFLOW: Final = "<workflow>"


def needed(method: str, rule: str) -> Scope | None:
    """Return the scope that a call needs; None if it needs no key.

    Args:
        method: GET, POST and so on.
        rule: The path, its variable parts as ``<name>``.
    """
    return CALLS.get(f"{method} {rule}", Scope.ADMIN)


def suffices(scopes: Collection[Scope], scope: Scope) -> bool:
    """Say whether these scopes allow what needs this one."""
    return scope in scopes or Scope.ADMIN in scopes


def allowed(scopes: Collection[Scope], workflows: Collection[str]) -> list[str]:
    """Return every call that is allowed, as API Gateway names them: ``GET/runs/*``.

    ``*`` stands for whatever is in place of a variable part. That is more than one part of a path,
    too, so a pattern may cover more than was meant; functions look at the call itself once more.

    Args:
        scopes: What the key is good for.
        workflows: The workflows that it is limited to; none for no limit.
    """
    if Scope.ADMIN in scopes and not workflows:
        return ["*"]
    patterns: list[str] = []
    for call, scope in CALLS.items():
        if scope is not OPEN and suffices(scopes, scope):
            patterns += _patterns(call, workflows)
    return patterns


def _patterns(call: str, workflows: Collection[str]) -> list[str]:
    named = [call.replace(" ", "")]
    if workflows and _NAMES_A_WORKFLOW in call:
        named = [named[0].replace(_NAMES_A_WORKFLOW, each) for each in sorted(workflows)]
    return [_VARIABLE.sub("*", each) for each in named]


def needed_at(method: str, path: str) -> Scope | None:
    """Return the scope that a call of a path needs, as ``needed``."""
    for call in CALLS:
        verb, rule = call.split(" ")
        if verb == method and re.fullmatch(_VARIABLE.sub("[^/]+", rule), path):
            return CALLS[call]
    return Scope.ADMIN
