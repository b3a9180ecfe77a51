"""The grammar of operation keys: ``scope path + name + occurrence``.

A key names an operation by what it is, not by its position, so that adding, removing or
reordering differently named operations does not shift the others: the second ``email`` of a
run is ``email#2``, whatever stands between. ``/`` separates scopes and ``#`` the occurrence;
neither may appear in a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_NAME: Final = 200
_RESERVED: Final = ("/", "#")
# Sorts after everything that can stand in a key.
_AFTER_ALL: Final = "\U0010ffff"


def check_name(name: object, what: str) -> str:
    """Return the name if it can stand in keys, URLs and lists.

    Raises:
        DefinitionError: Empty, too long, unprintable, or holding ``/`` or ``#``.
    """
    if not isinstance(name, str) or not name:
        message = f"{what} must be a non-empty text, not {name!r}"
        raise DefinitionError(message)
    if len(name) > LONGEST_NAME:
        message = (
            f"{what} {name[:40]!r}… has {len(name)} characters, at most {LONGEST_NAME} are allowed"
        )
        raise DefinitionError(message)
    if any(mark in name for mark in _RESERVED) or not name.isprintable():
        message = f"{what} {name!r} may not contain '/', '#' or control characters"
        raise DefinitionError(message)
    return name


def operation_key(scope: str, name: str, occurrence: int) -> str:
    """Return the key of the n-th operation of this name in a scope (the root scope is '')."""
    return f"{scope}/{name}#{occurrence}" if scope else f"{name}#{occurrence}"


def scope_of(key: str) -> str:
    """Return the scope path that a key belongs to."""
    return key.rpartition("/")[0]


def branch_scope(key: str, index: int) -> str:
    """Return the scope path of a branch of the group with this key."""
    return f"{key}/{index}"


def branch_of(key: str, group: str) -> int:
    """Return the index of the branch of a group that a key lies in."""
    return int(key.removeprefix(f"{group}/").partition("/")[0])


def scopes_of(key: str) -> Iterator[str]:
    """Yield the scope path that a key belongs to, then every one around it."""
    scope = scope_of(key)
    yield scope
    yield from map(scope_of, groups_of(scope))


def groups_of(scope: str) -> Iterator[str]:
    """Yield the key of the group that a scope is a branch of, then of every one around it."""
    while scope:
        group = scope_of(scope)
        yield group
        scope = scope_of(group)


def keys_after(key: str, last: str, most: int) -> tuple[str, ...] | None:
    """Return the keys that come after one, up to another one of the same scope and name.

    There is none if the other one has another name, or comes before.

    Args:
        key: The key.
        last: The other one.
        most: None is returned if there are more.
    """
    name, _, first = key.rpartition("#")
    other, _, number = last.rpartition("#")
    if name != other:
        return ()
    after = range(int(first) + 1, int(number) + 1)
    return None if len(after) > most else tuple(f"{name}#{each}" for each in after)


def lies_within(key: str, scope: str) -> bool:
    """Say whether a key lies in a scope, or in a scope within it."""
    return not scope or key.startswith(f"{scope}/")


def span_of(scope: str) -> tuple[str, str]:
    """Return two keys between which all those lie that are in a scope, or in one within it."""
    return f"{scope}/", f"{scope}/{_AFTER_ALL}"


def name_of(key: str) -> str:
    """Return the operation's own name within a key."""
    return key.rpartition("/")[2].rpartition("#")[0]
