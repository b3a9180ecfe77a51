"""Packages of workflows → the workflows that they define."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from typing import TYPE_CHECKING, Any, Final

from everstep.authoring.registry import Registry
from everstep.authoring.workflows import Workflow
from everstep.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

_LOG: Final = logging.getLogger("everstep.loading")


def load_registry(module_names: Iterable[str]) -> Registry:
    """Import packages with everything below them, and collect the workflows that they define.

    A module that cannot be imported is remembered as a fault and does not stop the others. Of
    two workflows with the same name and version neither is used: nobody could say which one a
    run continues on.
    """
    faults: dict[str, Exception] = {}
    by_version: dict[tuple[str, str], dict[int, Workflow[Any, Any]]] = {}
    for module in _modules(module_names, faults):
        for item in vars(module).values():
            if isinstance(item, Workflow):
                same = by_version.setdefault((item.name, item.version), {})
                same[id(item)] = item
                if len(same) > 1:
                    faults[module.__name__] = DefinitionError(
                        f"two workflows are called {item.name} version {item.version}; "
                        "neither is used"
                    )
    for name, error in faults.items():
        _LOG.error("workflows left out", extra={"workflows": name, "error": type(error).__name__})
    only = [next(iter(same.values())) for same in by_version.values() if len(same) == 1]
    return Registry(only, faults)


def _modules(names: Iterable[str], faults: dict[str, Exception]) -> Iterator[ModuleType]:
    for name in names:
        module = _imported(name, faults)
        if module is not None:
            yield module
            inner = pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}.")
            yield from _modules(sorted(each.name for each in inner), faults)


def _imported(name: str, faults: dict[str, Exception]) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything
        faults[name] = error
    except SystemExit as error:
        faults[name] = ImportError(f"it exits when it is imported, with {error.code!r}")
    return None
