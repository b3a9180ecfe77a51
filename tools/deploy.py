"""`make deploy`: check, build, `sam deploy`, and say what to do next.

On a terminal it asks for what the environment does not say; elsewhere it asks nothing:

    STACK       name of the stack (everstep)
    REGION      region; else that of the profile or of AWS_REGION
    STAGE       stage of the API, the first part of every path (v1)
    PROFILE     profile of the AWS configuration
    PARAMETERS  parameters of the template: "AlarmEmail=ops@example.org MemorySize=512"
    RUNTIME, ARCHITECTURE   what to build for (python3.13, arm64)

A parameter that is not named keeps the value that the stack has. Exit codes: 0 done, 1 failed,
2 something is wrong with what was given.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from everstep_localstack.instance import home
from tools.aws_account import Account, UsageError, account_of
from tools.deployment import PARAMETERS_ASKED, Plan, plan_of
from tools.sam.cli import SamError, build, sam

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAILED: Final = 1
USAGE: Final = 2


def ask(plan: Plan, question: Callable[[str], str]) -> Plan:
    """Return the plan with a person's answers; an empty one keeps what is there."""
    stack = question(f"Stack name [{plan.stack}]: ").strip() or plan.stack
    region = question(f"Region [{plan.region or 'none'}]: ").strip() or plan.region
    stage = question(f"Stage [{plan.stage}]: ").strip() or plan.stage
    given = dict(plan.parameters)
    for name, words in PARAMETERS_ASKED.items():
        shown = given.get(name, "as it is")
        answer = question(f"{words} [{shown}]: ").strip()
        if answer:
            given[name] = answer
    return plan.changed(stack=stack, region=region, stage=stage, parameters=given)


def deploy(plan: Plan, account: Account, say: Callable[[str], None], *, confirm: bool) -> None:
    """Build and deploy.

    Raises:
        SamError: The build or the deployment failed.
    """
    say(f"account {account.number}, region {account.region}, as {account.caller}")
    if account.endpoint:
        say(f"not AWS itself: AWS_ENDPOINT_URL is {account.endpoint}")
    say(f"build: {plan.runtime} on {plan.architecture}")
    template = build(home() / "build", plan.runtime, plan.architecture)
    command = plan.command(sam(), template, account.region, confirm=confirm)
    say("deploy: " + " ".join(map(str, command[1:])))
    done = subprocess.run(command, env=_environment(plan, account), check=False)
    if done.returncode:
        raise SamError(f"sam deploy ended with {done.returncode}: its reasons are above")


def _environment(plan: Plan, account: Account) -> dict[str, str]:
    quiet = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_VERSION": "0"}
    profile = {"AWS_PROFILE": plan.profile} if plan.profile else {}
    return {**os.environ, **quiet, **profile, "AWS_DEFAULT_REGION": account.region}


def what_next(outputs: Mapping[str, str], authorization: str, place: str) -> list[str]:
    """Return the lines that a person reads after the deployment.

    Args:
        outputs: Of the stack.
        authorization: What the stack's ApiAuthorization is.
        place: How to name the stack on the command line.
    """
    url = outputs["ApiUrl"]
    calls = {
        "KEY": [
            f"  everstep keys create --name first --scope admin {place}",
            f'  curl -H "Authorization: Bearer $KEY" "{url}/health?deep=1"',
        ],
        "IAM": [f'  curl --aws-sigv4 "aws:amz:REGION:execute-api" … "{url}/health?deep=1"'],
        "NONE": [
            "  WARNING: ApiAuthorization is NONE: whoever reaches this address may do everything",
            f'  curl "{url}/health?deep=1"',
        ],
    }
    return [
        f"API: {url}",
        f"table: {outputs['TableName']}   bucket: {outputs['BucketName']}",
        "next:",
        *calls[authorization],
        "  confirm the mail of the alarms' topic, if you gave an AlarmEmail",
        "  docs/how-to/deploy-to-aws.md: rights, sizing, upgrades, alarms",
    ]


def main(
    arguments: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
    question: Callable[[str], str] = input,
) -> int:
    """Deploy, and say what to do next."""
    parser = argparse.ArgumentParser(
        prog="make deploy", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="check and build nothing; show")
    parsed = parser.parse_args(arguments)
    asks = sys.stdin.isatty()
    try:
        plan = plan_of(os.environ if environment is None else environment)
        plan = ask(plan, question) if asks else plan
        account = account_of(plan)
        if parsed.dry_run:
            template = home() / "build" / "template.yaml"
            print(*plan.command(sam(), template, account.region, confirm=asks))
            return 0
        deploy(plan, account, print, confirm=asks)
        _print_what_next(plan, account)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except (SamError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return 0


def _print_what_next(plan: Plan, account: Account) -> None:
    stack: Any = account.stack(plan.stack)
    if stack is None:
        print(f"there is no stack {plan.stack}: the change was not confirmed")
        return
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    place = f"--stack {plan.stack} --region {account.region}"
    print(*what_next(outputs, given["ApiAuthorization"], place), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
