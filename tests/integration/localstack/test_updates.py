"""The project's own template, deployed and then updated: what has changed is in effect, at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from everstep_localstack import Deployment, LocalStack, Options
from tests.integration.localstack.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_lambda.client import LambdaClient

TEMPLATE: Final = ROOT / "template.yaml"
STACK: Final = "everstep-updates"
PARAMETERS: Final = {
    "TableDeletionProtection": "false",
    "ApiAuthorization": "NONE",
    "Workflows": "updated",
}
WORKFLOW: Final = """
from everstep import Context, step, workflow


@step
def say() -> str:
    return "{word}"


@workflow(name="updated")
async def updated(ctx: Context, _: None) -> str:
    return await ctx.step(say)
"""
# Of those who read the mapping of the template through a parameter.
GRACE: Final = "EVERSTEP_START_GRACE_SECONDS"

# A cold LocalStack, seven functions and layers, and then some updates.
pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """The deployed stack, and what it can be updated to."""

    server: LocalStack
    layer: Path

    def deploy(self, word: str, template: Path = TEMPLATE, **parameters: str) -> list[str]:
        """Deploy with a workflow that says `word`; return what the deployment said."""
        folder = self.layer / "python"
        folder.mkdir(exist_ok=True)
        (folder / "updated.py").write_text(WORKFLOW.format(word=word), encoding="utf-8")
        said: list[str] = []
        deployment = Deployment(
            template=template,
            stack=STACK,
            parameters=PARAMETERS | parameters,
            artifacts={"WorkflowsLayer": self.layer},
        )
        self.server.stacks(said.append).deploy(deployment)
        return said

    def result(self) -> str:
        """Run the workflow and return what it said."""
        outputs = self.server.outputs(STACK)
        address = f"_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}"
        with httpx.Client(base_url=f"{self.server.endpoint_url}/{address}", timeout=40) as api:
            run_id = api.post("/triggers/updated", content="null").json()["run_id"]
            deadline = time.monotonic() + 30
            while (run := api.get(f"/runs/{run_id}").json())["status"] != "COMPLETED":
                assert time.monotonic() < deadline, run
                time.sleep(0.1)
        return str(run["result"])

    def functions(self) -> dict[str, Any]:
        """Return the configuration of every function of the stack, by name."""
        client: LambdaClient = self.server.session().client(
            "lambda", endpoint_url=self.server.endpoint_url
        )
        found = client.list_functions()["Functions"]
        return {each["FunctionName"]: each for each in found}

    def graces(self) -> set[str]:
        """Return what the functions read from the mapping."""
        return {
            each["Environment"]["Variables"][GRACE]
            for each in self.functions().values()
            if "Environment" in each
        }


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Updated]:
    """Return the stack, with a workflow that says "first"."""
    with LocalStack(Options(instance="test-updates", port=4671)) as server:
        deployed = Updated(server=server, layer=tmp_path_factory.mktemp("layer"))
        deployed.deploy("first")
        yield deployed


def test_changed_workflow_code_is_in_effect_after_the_update(stack: Updated) -> None:
    stack.deploy("first")
    assert stack.result() == "first"

    said = stack.deploy("second")

    assert said[-1] == f"stack {STACK}: UPDATE_COMPLETE"
    assert stack.result() == "second"


def test_deploying_the_same_again_changes_nothing(stack: Updated) -> None:
    stack.deploy("same")
    before = stack.functions()

    assert stack.deploy("same") == [f"stack {STACK}: no changes"]

    assert stack.functions() == before


def test_an_update_that_comes_to_the_same_leaves_the_functions_alone(stack: Updated) -> None:
    stack.deploy("same")
    before = stack.functions()

    # The default, given: a key of the mapping that is new to the stack, and stays the same.
    stack.deploy("same", ExecutorTimeout="60")

    assert stack.functions() == before


def test_a_parameter_that_chooses_another_key_of_a_mapping_reaches_the_functions(
    stack: Updated,
) -> None:
    stack.deploy("same")
    before = stack.graces()

    stack.deploy("same", ExecutorTimeout="30")

    assert before == {"420"}
    assert stack.graces() == {"240"}


def test_a_changed_mapping_reaches_the_functions(stack: Updated, tmp_path: Path) -> None:
    stack.deploy("same")
    before = stack.graces()
    text = TEMPLATE.read_text(encoding="utf-8").replace("StartGrace: 420", "StartGrace: 421")
    template = tmp_path / TEMPLATE.name
    template.write_text(text, encoding="utf-8")
    # The template's folders are relative to it.
    for folder in ("layers", "functions"):
        (tmp_path / folder).symlink_to(ROOT / folder)

    stack.deploy("same", template)

    assert before == {"420"}
    assert stack.graces() == {"421"}
