"""What AWS answers to a deployment, and what a person is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import ANY, Stubber

from everstep_localstack.errors import DeployError
from everstep_localstack.stacks import BUCKET, Deployment, StackDeployer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STACK = "mine"
REFUSED = "not available in your current license plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stubs:
    """A deployer whose clients answer what a test tells them, in that order, and nothing else."""

    deployer: StackDeployer
    cloudformation: Stubber
    s3: Stubber
    deployment: Deployment
    said: list[str]

    def expect_upload(self) -> None:
        """Expect what precedes every deployment: a bucket, and a look into it."""
        self.s3.add_response("create_bucket", {}, {"Bucket": BUCKET})
        self.s3.add_response("list_objects_v2", {}, {"Bucket": BUCKET})

    def expect_change_set(self, kind: str) -> None:
        """Expect a template to be stored, and a change set to be made from it."""
        self.s3.add_response("put_object", {}, {"Bucket": BUCKET, "Key": ANY, "Body": ANY})
        self.cloudformation.add_response(
            "create_change_set",
            {},
            {
                "StackName": STACK,
                "ChangeSetName": ANY,
                "ChangeSetType": kind,
                "Capabilities": ANY,
                "TemplateURL": ANY,
                "Parameters": [],
            },
        )

    def expect_look(self, status: str) -> None:
        """Expect a look at the stack, which finds it in a state."""
        stack = {"StackName": STACK, "CreationTime": "2026-01-01", "StackStatus": status}
        self.cloudformation.add_response("describe_stacks", {"Stacks": [stack]})

    def expect_change_set_look(self, status: str, reason: str = "") -> None:
        """Expect a look at the change set, which finds it in a state."""
        self.cloudformation.add_response(
            "describe_change_set", {"Status": status, "StatusReason": reason}
        )


@pytest.fixture
def stubs(tmp_path: Path) -> Iterator[Stubs]:
    """Return stubs that must all have been called when the test ends."""
    template = tmp_path / "template.yaml"
    template.write_text("Resources:\n  Queue: {Type: AWS::SQS::Queue}\n", encoding="utf-8")
    cloudformation, s3 = boto3.client("cloudformation"), boto3.client("s3")
    said: list[str] = []
    with Stubber(cloudformation) as cloudformation_stub, Stubber(s3) as s3_stub:
        yield Stubs(
            deployer=StackDeployer(cloudformation, s3, said.append),
            cloudformation=cloudformation_stub,
            s3=s3_stub,
            deployment=Deployment(template=template, stack=STACK),
            said=said,
        )
        cloudformation_stub.assert_no_pending_responses()
        s3_stub.assert_no_pending_responses()


def test_a_refused_call_is_told_with_its_name_and_reason(stubs: Stubs) -> None:
    stubs.expect_upload()
    stubs.cloudformation.add_client_error("describe_stacks", "ValidationError", "does not exist")
    stubs.s3.add_response("put_object", {})
    stubs.cloudformation.add_client_error("create_change_set", "InternalFailure", REFUSED)

    with pytest.raises(DeployError) as told:
        stubs.deployer.deploy(stubs.deployment)

    assert str(told.value) == f"CreateChangeSet was refused (InternalFailure): {REFUSED}"


def test_a_refused_change_is_told_with_its_reason(stubs: Stubs) -> None:
    stubs.expect_upload()
    stubs.cloudformation.add_client_error("describe_stacks", "ValidationError", "does not exist")
    stubs.expect_change_set("CREATE")
    stubs.expect_change_set_look("FAILED", "Queue is no queue")

    with pytest.raises(DeployError, match="refuses the change: Queue is no queue"):
        stubs.deployer.deploy(stubs.deployment)


@pytest.mark.parametrize(
    "reason",
    ["The submitted information didn't contain changes.", "No updates are to be performed."],
)
def test_a_change_set_without_changes_is_not_executed(stubs: Stubs, reason: str) -> None:
    stubs.expect_upload()
    stubs.expect_look("UPDATE_COMPLETE")
    stubs.s3.add_client_error("get_object", "NoSuchKey")
    stubs.expect_change_set("UPDATE")
    stubs.expect_change_set_look("FAILED", reason)
    stubs.s3.add_response(
        "put_object", {}, {"Bucket": BUCKET, "Key": f"stacks/{STACK}", "Body": ANY}
    )
    stubs.expect_look("UPDATE_COMPLETE")

    assert stubs.deployer.deploy(stubs.deployment) == {}

    assert stubs.said == [f"stack {STACK}: updating", f"stack {STACK}: no changes"]


def test_a_deployment_waits_for_the_one_before_it(
    stubs: Stubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("everstep_localstack.stacks.time.sleep", pauses.append)
    stubs.expect_upload()
    stubs.expect_look("CREATE_IN_PROGRESS")
    stubs.expect_look("CREATE_COMPLETE")
    stubs.s3.add_client_error("get_object", "NoSuchKey")
    stubs.expect_change_set("UPDATE")
    stubs.expect_change_set_look("CREATE_PENDING")
    stubs.expect_change_set_look("FAILED", "No updates are to be performed.")
    stubs.s3.add_response("put_object", {})
    stubs.expect_look("CREATE_COMPLETE")

    assert stubs.deployer.deploy(stubs.deployment) == {}

    assert len(pauses) == 2


def test_a_stack_that_cannot_be_updated_is_made_anew(stubs: Stubs) -> None:
    stubs.expect_upload()
    stubs.expect_look("ROLLBACK_COMPLETE")
    stubs.expect_look("ROLLBACK_COMPLETE")
    stubs.cloudformation.add_response("delete_stack", {}, {"StackName": STACK})
    stubs.expect_look("DELETE_COMPLETE")
    stubs.s3.add_response("delete_object", {}, {"Bucket": BUCKET, "Key": f"stacks/{STACK}"})
    stubs.expect_change_set("CREATE")
    stubs.expect_change_set_look("CREATE_COMPLETE")
    stubs.cloudformation.add_response("execute_change_set", {})
    stubs.expect_look("CREATE_COMPLETE")
    stubs.s3.add_response("put_object", {})
    stubs.expect_look("CREATE_COMPLETE")

    assert stubs.deployer.deploy(stubs.deployment) == {}


def test_a_rolled_back_stack_is_told_with_what_failed(stubs: Stubs) -> None:
    stubs.expect_upload()
    stubs.cloudformation.add_client_error("describe_stacks", "ValidationError", "does not exist")
    stubs.expect_change_set("CREATE")
    stubs.expect_change_set_look("CREATE_COMPLETE")
    stubs.cloudformation.add_response("execute_change_set", {})
    stubs.expect_look("ROLLBACK_COMPLETE")
    event = {
        "StackId": STACK,
        "EventId": "1",
        "StackName": STACK,
        "Timestamp": "2026-01-01",
        "LogicalResourceId": "Queue",
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": "a bad name",
    }
    stubs.cloudformation.add_response("describe_stack_events", {"StackEvents": [event]})

    with pytest.raises(DeployError) as told:
        stubs.deployer.deploy(stubs.deployment)

    assert str(told.value) == f"stack {STACK} is ROLLBACK_COMPLETE\n  Queue: a bad name"


@pytest.mark.network
def test_an_address_where_nobody_answers_is_told() -> None:
    # Port 1 belongs to a service that nobody runs.
    deployer = StackDeployer.at("http://127.0.0.1:1")

    with pytest.raises(DeployError, match=r"http://127\.0\.0\.1:1/"):
        deployer.outputs(STACK)
