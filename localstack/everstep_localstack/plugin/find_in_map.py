"""Let a stack be updated whose template looks up a mapping by a parameter.

To see what an update changes, LocalStack compares both templates, and gives up at a `!FindInMap`
whose keys are not literals: `CreateChangeSet` answers "not available in your current license plan".
Values are looked up later, by other code that knows such keys. What is missing is only whether the
value may have changed: it may if a key has, which LocalStack sees by itself, or if the mapping has.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model import (
    ChangeSetModel,
    ChangeType,
    NodeArray,
    TerminalValue,
)


def install() -> None:
    """Amend how a change set sees `!FindInMap`."""
    original = ChangeSetModel._resolve_intrinsic_function_fn_find_in_map  # noqa: SLF001 - the only place to amend

    @wraps(original)
    def resolve(self: Any, arguments: Any) -> Any:  # noqa: ANN401 - LocalStack's model
        if arguments.change_type == ChangeType.UNCHANGED and _has_computed_key(arguments):
            name = arguments.array[0].value
            # Of the whole mapping: marking a value that stays the same as changed does no harm,
            # because both values are computed and compared before anything is done.
            return self._retrieve_mapping(mapping_name=name).bindings.change_type
        return original(self, arguments)

    ChangeSetModel._resolve_intrinsic_function_fn_find_in_map = resolve  # noqa: SLF001 - the same


def _has_computed_key(arguments: Any) -> bool:  # noqa: ANN401 - LocalStack's ChangeSetEntity
    if not isinstance(arguments, NodeArray) or not arguments.array:
        return False
    name, *keys = arguments.array
    literal_keys = all(isinstance(key, TerminalValue) for key in keys)
    return isinstance(name, TerminalValue) and not literal_keys
