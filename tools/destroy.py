"""`make destroy`: delete a stack, and say what stays.

STACK, REGION and PROFILE as for `make deploy`. It asks for the stack's name; FORCE=1 does not ask.
Exit codes: 0 done, 1 failed, 2 something is wrong with what was given.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from tools.aws_account import Account, UsageError, account_of
from tools.deployment import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAILED: Final = 1
USAGE: Final = 2


def kept(outputs: Mapping[str, str], region: str) -> list[str]:
    """Return what stays of a stack, and the commands that remove it, as lines."""
    table, bucket = outputs.get("TableName", ""), outputs.get("BucketName", "")
    where = f"--region {region}"
    named = f"{where} --table-name {table}"
    return [
        "These stay, because they hold the runs; they cost what they store:",
        f"  table  {table}",
        f"  bucket {bucket}",
        "To be rid of them for good, once the stack is gone:",
        f"  aws dynamodb update-table {named} --no-deletion-protection-enabled",
        f"  aws dynamodb delete-table {named}",
        f"  aws s3 rb --force s3://{bucket} {where}",
    ]


def destroy(account: Account, stack: str, say: Callable[[str], None]) -> None:
    """Delete the stack and wait until it is gone.

    Raises:
        WaiterError: It could not be deleted.
    """
    say(f"stack {stack}: deleting")
    account.cloudformation.delete_stack(StackName=stack)
    account.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 2 if account.endpoint else 10, "MaxAttempts": 180}
    )
    say(f"stack {stack}: deleted")


def main(
    environment: Mapping[str, str] | None = None, question: Callable[[str], str] = input
) -> int:
    """Ask, delete, and say what stays."""
    given = os.environ if environment is None else environment
    try:
        plan = plan_of(given)
        account = account_of(plan)
        outputs = _outputs(account, plan.stack)
        print(f"account {account.number}, region {account.region}, stack {plan.stack}")
        print(*kept(outputs, account.region), sep="\n")
        _require_consent(plan.stack, given, question)
        destroy(account, plan.stack, print)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except (ClientError, BotoCoreError, WaiterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return 0


def _outputs(account: Account, stack: str) -> dict[str, str]:
    found: Any = account.stack(stack)
    if found is None:
        raise UsageError(f"there is no stack {stack} in {account.region}: see STACK and REGION")
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def _require_consent(
    stack: str, environment: Mapping[str, str], question: Callable[[str], str]
) -> None:
    if environment.get("FORCE") == "1":
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked: FORCE=1 deletes without asking")
    if question(f"Type the name of the stack to delete it ({stack}): ").strip() != stack:
        raise UsageError("that is not its name: nothing was deleted")


if __name__ == "__main__":
    sys.exit(main())
