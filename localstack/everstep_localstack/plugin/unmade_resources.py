"""Let a resource that a condition leaves out name another one that it leaves out.

LocalStack computes the properties of every resource of a template, also of those that it does not
make, and refuses the template at a `!GetAtt` of one that is not made: "Unresolved resource
dependencies". CloudFormation asks that only of resources that it makes. What is computed for the
others is never used, so a mark takes the place of the attribute. A resource that is made and names
one that is not is found by cfn-lint.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
    ChangeSetModelPreproc,
)
from localstack.services.cloudformation.engine.validations import ValidationError

_REFUSAL: Final = "Unresolved resource dependencies"
UNMADE: Final = "of-a-resource-that-is-not-made"


def install() -> None:
    """Amend how a change set reads attributes."""
    original = ChangeSetModelPreproc._resolve_attribute  # noqa: SLF001 - the only place to amend

    @wraps(original)
    def resolve(self: Any, arguments: Any, select_before: bool) -> Any:  # noqa: ANN401, FBT001 - LocalStack's model
        try:
            return original(self, arguments, select_before)
        except ValidationError as error:
            if _REFUSAL not in str(error) or not _is_in_template(self, arguments):
                raise
            return UNMADE

    ChangeSetModelPreproc._resolve_attribute = resolve  # noqa: SLF001 - the same


def _is_in_template(model: Any, arguments: Any) -> bool:  # noqa: ANN401 - LocalStack's model
    name = arguments.split(".")[0] if isinstance(arguments, str) else arguments[0]
    resources = model._change_set.update_model.node_template.resources.resources  # noqa: SLF001 - the same
    return any(each.name == name for each in resources)
