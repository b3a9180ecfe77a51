"""A stack as settings, with advice for who names one on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from everstep.cli.exits import not_found

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

    from everstep.wiring import Clients


def variables(clients: Clients, name: str) -> dict[str, str]:
    """Return the variables that the functions of a stack have, as far as the stack says them.

    Raises:
        CommandError: There is no such stack, or it is not one of Everstep's.
        AdapterError: CloudFormation refused.
        UnavailableError: CloudFormation did not answer.
    """
    from everstep.adapters.cloudformation import NoSuchStackError, stack_variables

    client = cast("CloudFormationClient", clients.make("cloudformation"))
    try:
        return stack_variables(client, name)
    except NoSuchStackError as error:
        hint = "" if error.found else "; look at --region and --aws-profile"
        raise not_found(f"{error}{hint}") from error
