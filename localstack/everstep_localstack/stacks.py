"""Deploy SAM templates to an endpoint that speaks AWS's protocols."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from everstep_localstack.artifacts import pack
from everstep_localstack.errors import DeployError, TemplateError
from everstep_localstack.template import LocalCode, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from types_boto3_cloudformation.client import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackTypeDef
    from types_boto3_s3.client import S3Client

REGION: Final = "us-east-1"
CREDENTIALS: Final = "test"
BUCKET: Final = "everstep-artifacts"
POLL_SECONDS: Final = 0.1
DEPLOY_SECONDS: Final = 300.0
GOOD: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
# A stack in these states cannot be updated: it must be made anew.
BROKEN: Final = frozenset(
    {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_FAILED"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What to deploy.

    Attributes:
        template: The SAM template; its paths are relative to its folder.
        stack: Name of the stack.
        parameters: Values of the template's parameters; those not given take their defaults.
        artifacts: Folders to pack instead of those in the template, by logical id.
    """

    template: Path
    stack: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Turn what boto3 raises into this package's error, whose text is for a person.

    Raises:
        DeployError: A call was refused, or had no answer.
    """
    # Loaded late, as boto3 is below.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        reason = error.response.get("Error", {})
        code, message = reason.get("Code", "no code"), reason.get("Message", "no reason given")
        raise DeployError(f"{error.operation_name} was refused ({code}): {message}") from error
    except BotoCoreError as error:
        # No connection, no answer in time, or a value that botocore itself does not let pass.
        raise DeployError(str(error)) from error


class StackDeployer:
    """Create, update and delete stacks."""

    def __init__(
        self,
        cloudformation: CloudFormationClient,
        s3: S3Client,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._cloudformation = cloudformation
        self._s3 = s3
        self._say = say

    @classmethod
    def at(cls, endpoint_url: str, say: Callable[[str], None] = lambda _: None) -> Self:
        """Return a deployer for the emulator at an address, with made-up credentials."""
        # Loaded late: start, stop and status work without boto3, and at once.
        import boto3  # noqa: PLC0415

        session = boto3.Session(
            aws_access_key_id=CREDENTIALS, aws_secret_access_key=CREDENTIALS, region_name=REGION
        )
        return cls(
            session.client("cloudformation", endpoint_url=endpoint_url),
            session.client("s3", endpoint_url=endpoint_url),
            say,
        )

    @_errors_told()
    def deploy(self, deployment: Deployment) -> dict[str, str]:
        """Bring a stack to what its template says, and return its outputs.

        Code is uploaded under the name of its content, and only if it is not there yet. A stack
        that was deployed from the same template, code and parameters is left alone.

        Raises:
            TemplateError: The template names something that is not there.
            DeployError: AWS refused, rolled back or did not answer; with its reasons.
        """
        self._s3.create_bucket(Bucket=BUCKET)
        body = self._package(deployment)
        digest = _digest(body, deployment.parameters)
        # What another deployment began, such as an interrupted one, comes to its end first.
        status = self._settle(deployment.stack)
        if status in GOOD and self._deployed_digest(deployment.stack) == digest:
            self._say(f"stack {deployment.stack}: no changes")
            return self.outputs(deployment.stack)
        if status in BROKEN:
            self._say(f"stack {deployment.stack}: removing what is {status}")
            self.teardown(deployment.stack)
            status = None
        self._apply(deployment, body, create=status is None)
        self._s3.put_object(Bucket=BUCKET, Key=_digest_key(deployment.stack), Body=digest.encode())
        return self.outputs(deployment.stack)

    @_errors_told()
    def outputs(self, stack: str) -> dict[str, str]:
        """Return a stack's outputs.

        Raises:
            DeployError: There is no such stack, or there was no answer.
        """
        description = self._describe(stack)
        if description is None:
            raise DeployError(f"there is no stack {stack!r}: deploy it first")
        return {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}

    @_errors_told()
    def teardown(self, stack: str) -> None:
        """Delete a stack and what it made; do nothing if there is none.

        Raises:
            DeployError: It could not be deleted; with the reasons.
        """
        if self._describe(stack) is None:
            self._say(f"stack {stack}: there is none")
            return
        self._say(f"stack {stack}: deleting")
        self._cloudformation.delete_stack(StackName=stack)
        status = self._settle(stack)
        if status not in {None, "DELETE_COMPLETE"}:
            raise DeployError(f"stack {stack} is {status}\n{self._failures(stack)}")
        self._s3.delete_object(Bucket=BUCKET, Key=_digest_key(stack))

    def _package(self, deployment: Deployment) -> str:
        try:
            text = deployment.template.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise TemplateError(f"there is no template {deployment.template}") from error
        present = self._present_keys()
        folder = deployment.template.resolve().parent
        return rewrite(text, folder, deployment.artifacts, lambda code: self._upload(code, present))

    def _present_keys(self) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    def _upload(self, code: LocalCode, present: set[str]) -> str:
        archive = pack(code.folder, prefix=code.prefix)
        if archive.key not in present:
            size = len(archive.content) / 1024
            self._say(f"{code.logical_id}: uploading {code.folder} ({size:.0f} kB)")
            self._s3.put_object(Bucket=BUCKET, Key=archive.key, Body=archive.content)
            present.add(archive.key)
        return f"s3://{BUCKET}/{archive.key}"

    def _apply(self, deployment: Deployment, body: str, *, create: bool) -> None:
        stack = deployment.stack
        name = f"everstep-{time.time_ns()}"
        self._say(f"stack {stack}: {'creating' if create else 'updating'}")
        self._cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="CREATE" if create else "UPDATE",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            TemplateURL=self._store_template(body),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in deployment.parameters.items()
            ],
        )
        if not self._change_set_has_changes(stack, name):
            self._say(f"stack {stack}: no changes")
            return
        self._cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
        status = self._settle(stack)
        if status not in GOOD:
            raise DeployError(f"stack {stack} is {status}\n{self._failures(stack)}")
        self._say(f"stack {stack}: {status}")

    def _store_template(self, body: str) -> str:
        # By address, not in the request: there a template may have no more than 51,200 bytes.
        key = f"templates/{hashlib.sha256(body.encode()).hexdigest()}.yaml"
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        return f"{self._s3.meta.endpoint_url}/{BUCKET}/{key}"

    def _change_set_has_changes(self, stack: str, name: str) -> bool:
        deadline = time.monotonic() + DEPLOY_SECONDS
        while time.monotonic() < deadline:
            answer = self._cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
            reason = answer.get("StatusReason", "")
            match answer["Status"]:
                case "CREATE_COMPLETE":
                    return True
                case "FAILED" if "didn't contain changes" in reason or "No updates" in reason:
                    return False
                case "FAILED":
                    raise DeployError(f"CloudFormation refuses the change: {reason}")
                case _:
                    time.sleep(POLL_SECONDS)
        raise DeployError(f"the change set of {stack} was not ready in {DEPLOY_SECONDS:.0f} s")

    def _settle(self, stack: str) -> str | None:
        deadline = time.monotonic() + DEPLOY_SECONDS
        while time.monotonic() < deadline:
            status = self._status(stack)
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(POLL_SECONDS)
        raise DeployError(f"stack {stack} did not settle in {DEPLOY_SECONDS:.0f} s")

    def _status(self, stack: str) -> str | None:
        description = self._describe(stack)
        # A change set that was never executed leaves a stack that nobody has made.
        if description is None or description["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        return description["StackStatus"]

    def _describe(self, stack: str) -> StackTypeDef | None:
        try:
            found = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except self._cloudformation.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found[0] if found[0]["StackStatus"] != "DELETE_COMPLETE" else None

    def _failures(self, stack: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return "\n".join(
            f"  {each.get('LogicalResourceId')}: {each.get('ResourceStatusReason')}"
            for each in events
            if each.get("ResourceStatus", "").endswith("FAILED")
        )

    def _deployed_digest(self, stack: str) -> str | None:
        try:
            stored = self._s3.get_object(Bucket=BUCKET, Key=_digest_key(stack))
        except self._s3.exceptions.NoSuchKey:
            return None
        return stored["Body"].read().decode()


def _digest(body: str, parameters: Mapping[str, str]) -> str:
    content = json.dumps([body, dict(parameters)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _digest_key(stack: str) -> str:
    return f"stacks/{stack}"
