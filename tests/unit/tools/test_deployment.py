"""What `make deploy` and `make destroy` make of their variables, before anything is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from tests.cloudformation import load, of_type
from tools import deploy, destroy
from tools.aws_account import Account, UsageError, account_of
from tools.deployment import PARAMETERS_ASKED, Plan, plan_of

OUTPUTS: Final = {"ApiUrl": "https://x/v1", "TableName": "t-1", "BucketName": "b-1"}


class FakeStacks:
    """CloudFormation with one stack."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if StackName != "shop":
            error: Any = {"Error": {"Code": "ValidationError", "Message": "x does not exist"}}
            raise ClientError(error, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
        return {"Stacks": [{"Outputs": outputs}]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803 - boto3's name
        self.deleted.append(StackName)

    def get_waiter(self, _name: str) -> FakeStacks:
        return self

    def wait(self, **_: object) -> None:
        assert self.deleted


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> FakeStacks:
    fake = FakeStacks()
    client: Any = fake
    account = Account(
        number="1", caller="arn:me", region="eu-central-1", endpoint="", cloudformation=client
    )
    monkeypatch.setattr(destroy, "account_of", lambda _plan: account)
    monkeypatch.setattr(deploy, "account_of", lambda _plan: account)
    return fake


def command_of(environment: dict[str, str], *, confirm: bool = False) -> list[str]:
    made = plan_of(environment).command(
        Path("sam"), Path("t.yaml"), "eu-central-1", confirm=confirm
    )
    return [str(each) for each in made]


def test_variables_become_sams_command_line() -> None:
    command = command_of(
        {
            "STACK": "shop",
            "STAGE": "test",
            "PROFILE": "work",
            "RUNTIME": "python3.12",
            "ARCHITECTURE": "x86_64",
            "PARAMETERS": "MemorySize=512 AlarmEmail='a b@example.org'",
        }
    )
    text = " ".join(command)
    assert text.startswith("sam deploy --template-file t.yaml --stack-name shop")
    assert "--region eu-central-1 --capabilities CAPABILITY_IAM --resolve-s3" in text
    assert "--no-confirm-changeset --profile work --parameter-overrides" in text
    assert command[command.index("--parameter-overrides") + 1 :] == [
        "StageName=test",
        "Runtime=python3.12",
        "Architecture=x86_64",
        "MemorySize=512",
        "AlarmEmail='a b@example.org'",
    ]


def test_without_variables_the_defaults_are_those_of_the_template() -> None:
    parameters = load()["Parameters"]
    plan = plan_of({"STACK": "", "PARAMETERS": ""})
    assert plan == Plan()
    assert plan.stage == parameters["StageName"]["Default"]
    assert plan.runtime == parameters["Runtime"]["Default"]
    assert plan.architecture == parameters["Architecture"]["Default"]


def test_a_change_is_confirmed_where_somebody_can_be_asked() -> None:
    assert "--confirm-changeset" in command_of({}, confirm=True)
    assert "--profile" not in command_of({})


def test_one_capability_suffices_because_nothing_with_rights_has_a_name() -> None:
    template = load()
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for name, properties in of_type(template, kind).items():
            assert not {"RoleName", "ManagedPolicyName"} & set(properties), name


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"STACK": "my_stack"}, "STACK is 'my_stack'"),
        ({"STACK": "x" * 51}, "at most 50 characters"),
        ({"STAGE": "a/b"}, "STAGE is 'a/b'"),
        ({"PARAMETERS": "MemorySize"}, "each is Name=value"),
        ({"PARAMETERS": "a-b=c"}, "each is Name=value"),
        ({"PARAMETERS": "A='b"}, "No closing quotation"),
        ({"PARAMETERS": "Runtime=python3.11"}, "use the variable RUNTIME"),
    ],
    ids=["name", "long", "stage", "no-value", "no-name", "quotes", "taken"],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    environment: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        plan_of(environment)


def test_answers_of_a_person_take_the_place_of_what_was_there() -> None:
    answers = iter(["shop", "", "test", "ops@example.org", ""])
    plan = deploy.ask(plan_of({"REGION": "eu-west-1"}), lambda _: next(answers))
    assert (plan.stack, plan.region, plan.stage) == ("shop", "eu-west-1", "test")
    assert plan.parameters == {"AlarmEmail": "ops@example.org"}


def test_what_a_person_is_asked_for_are_parameters_of_the_template() -> None:
    assert set(PARAMETERS_ASKED) <= set(load()["Parameters"])


@pytest.mark.parametrize("authorization", load()["Parameters"]["ApiAuthorization"]["AllowedValues"])
def test_it_is_said_how_to_call_the_api(authorization: str) -> None:
    lines = "\n".join(deploy.what_next(OUTPUTS, authorization, "--stack shop"))
    assert "https://x/v1/health?deep=1" in lines
    assert ("WARNING" in lines) == (authorization == "NONE")


def test_missing_credentials_are_told_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(boto3, "Session", refuse)
    monkeypatch.setattr(deploy, "build", lambda *_: pytest.fail("built"))
    assert deploy.main([], {}) == 2
    assert "there are no complete AWS credentials" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(profile="nobody"), "list-profiles"),
        (Plan(region="eu-central-9"), "REGION is 'eu-central-9'"),
    ],
    ids=["profile", "region"],
)
def test_a_wrong_profile_or_region_is_told(plan: Plan, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        account_of(plan)


def test_without_a_region_it_is_said_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(UsageError, match="no region is chosen: give REGION"):
        account_of(Plan())


def test_destroy_names_what_stays_and_deletes_when_forced(
    stacks: FakeStacks, capsys: pytest.CaptureFixture[str]
) -> None:
    assert destroy.main({"STACK": "shop", "FORCE": "1"}) == 0
    said = capsys.readouterr().out
    assert stacks.deleted == ["shop"]
    assert "table  t-1" in said
    assert "bucket b-1" in said
    retained = {
        name
        for name, each in load()["Resources"].items()
        if "Retain" in each.get("DeletionPolicy", "")
    }
    assert retained == {"Table", "PayloadBucket"}


def test_destroy_deletes_nothing_where_nobody_can_be_asked(
    stacks: FakeStacks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert destroy.main({"STACK": "shop"}) == 2
    assert stacks.deleted == []
    assert "FORCE=1" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "deleted"), [("shop", ["shop"]), ("yes", [])])
def test_destroy_wants_the_name_typed(
    stacks: FakeStacks, monkeypatch: pytest.MonkeyPatch, typed: str, deleted: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert destroy.main({"STACK": "shop"}, lambda _: typed) == (0 if deleted else 2)
    assert stacks.deleted == deleted


def test_destroy_of_no_stack_is_told(
    stacks: FakeStacks, capsys: pytest.CaptureFixture[str]
) -> None:
    assert destroy.main({"STACK": "other", "FORCE": "1"}) == 2
    assert "there is no stack other in eu-central-1" in capsys.readouterr().err
    assert stacks.deleted == []
