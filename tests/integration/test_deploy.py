"""`make deploy` and `make destroy`, with the real SAM CLI and CloudFormation of LocalStack."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from tools import deploy, destroy
from tools.run import local_api_url
from tools.sam.cli import ARCHITECTURE
from tools.sam.keys import api_key

if TYPE_CHECKING:
    from everstep_localstack import LocalStack

STACK: Final = "everstep-deployed"
ENVIRONMENT: Final = {
    "STACK": STACK,
    "STAGE": "test",
    "REGION": "us-east-1",
    "RUNTIME": f"python3.{sys.version_info.minor}",
    "ARCHITECTURE": ARCHITECTURE,
    "PARAMETERS": "TableDeletionProtection=false",
    "FORCE": "1",
}


@pytest.mark.sam
@pytest.mark.timeout(600)
def test_a_stack_is_deployed_used_and_destroyed(
    localstack_server: LocalStack,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", localstack_server.endpoint_url)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    try:
        assert deploy.main([], ENVIRONMENT) == 0, capfd.readouterr()
        said = capfd.readouterr().out
        assert f"everstep keys create --name first --scope admin --stack {STACK}" in said
        outputs = localstack_server.outputs(STACK)
        assert outputs["StageName"] == "test"
        answer = httpx.get(
            f"{local_api_url(localstack_server, outputs)}/health?deep=1",
            headers={"Authorization": f"Bearer {api_key(localstack_server, outputs)}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        assert deploy.main([], ENVIRONMENT | {"PARAMETERS": "LogLevel=DEBUG"}) == 0
        assert localstack_server.outputs(STACK) == outputs
        assert destroy.main(ENVIRONMENT) == 0
        assert outputs["TableName"] in capfd.readouterr().out
    finally:
        client = localstack_server.session().client(
            "cloudformation", endpoint_url=localstack_server.endpoint_url
        )
        client.delete_stack(StackName=STACK)
