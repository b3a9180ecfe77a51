"""A CloudFormation stack as settings: what template.yaml puts into its outputs and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.aws_errors import translated
from everstep.adapters.errors import AdapterError
from everstep.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackTypeDef

_OUTPUTS: Final[Mapping[str, str]] = {
    "TableName": "EVERSTEP_TABLE",
    "BucketName": "EVERSTEP_BUCKET",
    "QueueUrl": "EVERSTEP_QUEUE_URL",
}
# The template makes something else of its parameter, in these settings.
_NOT_AS_IT_IS: Final = frozenset({"start_grace_seconds", "payload_codec"})
_PARAMETERS: Final[Mapping[str, str]] = {
    each.parameter: each.variable
    for each in SETTINGS.values()
    if each.parameter is not None and each.name not in _NOT_AS_IT_IS
}
_PAYLOAD_KEY: Final = "PayloadKeyArn"
_DESCRIBE: Final = "CloudFormation DescribeStacks"


class NoSuchStackError(AdapterError):
    """Say that there is no such stack, or that it is not one of Everstep's.

    Attributes:
        found: Whether there is a stack of this name.
    """

    def __init__(self, message: str, *, found: bool) -> None:
        """Keep the message as it is: it says where was looked, and what for."""
        self.found = found
        super().__init__(_DESCRIBE, "NoSuchStack", message)
        self.args = (message,)


def stack_variables(client: CloudFormationClient, name: str) -> dict[str, str]:
    """Return the variables that the functions of a stack have, as far as the stack says them.

    Raises:
        NoSuchStackError: There is no such stack, or it is not one of Everstep's.
        AdapterError: CloudFormation refused.
        UnavailableError: CloudFormation did not answer.
    """
    stack = _described(client, name)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
    missing = [key for key in _OUTPUTS if key not in outputs]
    if missing:
        raise NoSuchStackError(
            f"stack {name} ({stack['StackStatus']}) has no output {', '.join(missing)}; "
            "name a stack that was made from Everstep's template.yaml, and is complete",
            found=True,
        )
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())
    }
    codec = {"EVERSTEP_PAYLOAD_CODEC": "kms"} if parameters.get(_PAYLOAD_KEY) else {}
    return (
        {variable: outputs[key] for key, variable in _OUTPUTS.items()}
        | {variable: parameters[key] for key, variable in _PARAMETERS.items() if key in parameters}
        | codec
    )


def _described(client: CloudFormationClient, name: str) -> StackTypeDef:
    try:
        with translated(_DESCRIBE):
            return client.describe_stacks(StackName=name)["Stacks"][0]
    except AdapterError as error:
        # The service has no code of its own for it.
        if error.code == "ValidationError" and "does not exist" in str(error):
            place = f"{client.meta.region_name} at {client.meta.endpoint_url}"
            raise NoSuchStackError(f"there is no stack {name} in {place}", found=False) from error
        raise
