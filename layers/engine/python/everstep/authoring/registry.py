"""The workflows that are deployed, by name and version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from everstep.core.errors import DefinitionError, UnknownWorkflowError, WorkflowMissingError
from everstep.core.failures import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from everstep.authoring.workflows import Workflow


class Registry:
    """Finds workflows; remembers modules that could not be imported."""

    def __init__(
        self, workflows: Iterable[Workflow[Any, Any]], faults: Mapping[str, Exception] | None = None
    ) -> None:
        """Take the workflows.

        Args:
            workflows: Every workflow that is deployed.
            faults: Modules that failed to import, with the reason.

        Raises:
            DefinitionError: Two different workflows share name and version.
        """
        self.faults = dict(faults or {})
        self._workflows: dict[str, dict[str, Workflow[Any, Any]]] = {}
        for item in workflows:
            versions = self._workflows.setdefault(item.name, {})
            if versions.setdefault(item.version, item) is not item:
                raise DefinitionError(
                    f"two workflows are called {item.name} version {item.version}"
                )

    def __iter__(self) -> Iterator[Workflow[Any, Any]]:
        """Iterate over every workflow, by name and version."""
        for name in sorted(self._workflows):
            yield from (self._workflows[name][version] for version in self.versions(name))

    @property
    def names(self) -> list[str]:
        """Return the names of the deployed workflows, sorted."""
        return sorted(self._workflows)

    def versions(self, name: str) -> list[str]:
        """Return the deployed versions of a workflow, oldest first."""
        return sorted(self._workflows.get(name, {}), key=_natural)

    def to_start(self, name: str, version: str | None = None) -> Workflow[Any, Any]:
        """Return the workflow to start a run on: the version asked for, or the highest.

        Raises:
            UnknownWorkflowError: There is none; the message says what there is.
        """
        versions = self.versions(name)
        chosen = version if version is not None else (versions[-1] if versions else "")
        if chosen in versions:
            return self._workflows[name][chosen]
        if versions:
            raise UnknownWorkflowError(
                f"workflow {name} has no version {version}; deployed: {', '.join(versions)}"
            )
        known = ", ".join(self.names) or "none"
        left_out = "; some modules could not be imported, see the logs" if self.faults else ""
        raise UnknownWorkflowError(f"there is no workflow {name}; deployed: {known}{left_out}")

    def to_continue(self, name: str, version: str) -> Workflow[Any, Any]:
        """Return the workflow that a run is pinned to.

        Raises:
            WorkflowMissingError: It is not deployed; the message says what to do.
        """
        found = self._workflows.get(name, {}).get(version)
        if found is not None:
            return found
        versions = ", ".join(self.versions(name)) or "none"
        raise WorkflowMissingError(
            f"workflow {name} version {version} is not deployed (deployed versions: {versions}); "
            f"deploy it and resume the run{self._faults()}"
        )

    def _faults(self) -> str:
        described = {module: describe(error) for module, error in self.faults.items()}
        reasons = [f"{module}: {each.type}: {each.message}" for module, each in described.items()]
        return f"; could not be imported: {'; '.join(reasons)}" if reasons else ""


def _natural(version: str) -> list[tuple[int, int, str]]:
    """Sort 1.10 after 1.9, and text after numbers."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
