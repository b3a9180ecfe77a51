"""A project made by `everstep init` is built, deployed, and runs its workflow over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from everstep_localstack import Deployment
from everstep_localstack.instance import home
from tests.cloudformation import ROOT
from tools.run import local_api_url
from tools.sam.cli import ARCHITECTURE, quiet, run, sam
from tools.sam.keys import api_key

if TYPE_CHECKING:
    from pathlib import Path

    from everstep_localstack import LocalStack

STACK: Final = "order-desk"
RUNTIME: Final = f"python3.{sys.version_info.minor}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that installs this everstep, from a wheel."""
    python = (sys.executable, "-m")
    wheel = tmp_path / "wheel"
    run(
        (*python, "hatchling", "build", "--target", "wheel", "--directory", wheel),
        folder=ROOT,
        variables=dict(os.environ),
    )
    (built,) = wheel.glob("*.whl")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers/engine/python")}
    command = (*python, "everstep.cli", "init", STACK, "--everstep", built)
    run(command, folder=tmp_path, variables=environment)
    return tmp_path / STACK


@pytest.mark.slow
@pytest.mark.sam
@pytest.mark.timeout(300)
def test_a_new_project_runs_its_workflow_over_http(
    localstack_server: LocalStack, project: Path
) -> None:
    subprocess.run(
        ["make", "build", f"SAM={sam()}", f"RUNTIME={RUNTIME}", f"ARCHITECTURE={ARCHITECTURE}"],
        cwd=project,
        env=quiet({"PATH": f"{home() / 'venvs/uv/bin'}{os.pathsep}{os.environ['PATH']}"}),
        check=True,
    )
    build = project / ".aws-sam" / "build"
    engine = build / "EngineLayer" / "python"
    assert (engine / "everstep" / "core").is_dir()
    assert not (engine / "everstep" / "cli").exists()
    deployment = Deployment(
        template=build / "template.yaml",
        stack=STACK,
        parameters={"TableDeletionProtection": "false"},
    )
    try:
        outputs = localstack_server.stacks(print).deploy(deployment)
        headers = {"Authorization": f"Bearer {api_key(localstack_server, outputs)}"}
        url = local_api_url(localstack_server, outputs)
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            answer = client.post("/triggers/greeting", json={"name": "Ada", "pause": "PT1S"})
            assert answer.status_code == 202, answer.text
            assert _status(client, answer.json()["run_id"]) == "COMPLETED"
    finally:
        localstack_server.teardown(STACK)


def _status(client: httpx.Client, run_id: str) -> str:
    """Wait for the run to end, and return its status."""
    deadline = time.monotonic() + 60
    while True:
        shown = client.get(f"/runs/{run_id}").json()
        if shown["status"] not in {"PENDING", "RUNNING", "SLEEPING"} or time.monotonic() > deadline:
            return str(shown["status"])
        time.sleep(0.2)
