"""SAM accepts the template, expands it as meant, and builds artifacts for the named runtime."""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import platform
import shutil
import subprocess
import sys
from types import CodeType
from typing import TYPE_CHECKING, Final

import pytest

from tests.cloudformation import ROOT, TEMPLATE, Json, of_type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.sam, pytest.mark.timeout(300)]

SAM: Final = ROOT / ".everstep" / "venvs" / "sam" / "bin"
THIS_PYTHON: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
THIS_ARCHITECTURE: Final = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
FUNCTIONS: Final = ("trigger", "step_executor", "api", "sweeper", "dead_letter")
STAND_IN: Final = "def handler(event: object, context: object) -> None: ...\n"

# Prints the template as CloudFormation gets it. SAM's translator is only in SAM's environment.
EXPAND: Final = """
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

template = yaml_parse(open(sys.argv[1]).read())
for resource in template["Resources"].values():
    for place in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
        resource["Properties"][place] = "s3://bucket/key"
json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout)
"""


def run(*command: str | Path, folder: Path, **variables: str) -> str:
    environment = {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CHECK_VERSION": "0",
        **variables,
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what gets built, with stand-ins for what is not written yet."""
    copy = tmp_path_factory.mktemp("project")
    shutil.copy(TEMPLATE, copy)
    leave_out = shutil.ignore_patterns("__pycache__")
    for folder in ("layers", "functions", "tools"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave_out)
    for folder in FUNCTIONS:
        handler = copy / "functions" / folder / "handler.py"
        handler.parent.mkdir(exist_ok=True)
        if not handler.exists():
            handler.write_text(STAND_IN, encoding="utf-8")
    workflows = copy / "layers" / "workflows" / "python" / "workflows" / "__init__.py"
    workflows.parent.mkdir(parents=True, exist_ok=True)
    workflows.touch()
    uv = ROOT / ".everstep" / "venvs" / "uv"
    (copy / ".everstep" / "venvs").mkdir(parents=True)
    (copy / ".everstep" / "venvs" / "uv").symlink_to(uv)
    return copy


def build(project: Path, runtime: str, architecture: str) -> Path:
    """Run `sam build`, and give the folder of its artifacts."""
    artifacts = project / f"{runtime}-{architecture}"
    run(
        SAM / "sam",
        "build",
        "--build-dir",
        artifacts,
        "--parameter-overrides",
        f"Runtime={runtime}",
        f"Architecture={architecture}",
        folder=project,
        RUNTIME=runtime,
        ARCHITECTURE=architecture,
    )
    return artifacts


@pytest.fixture(scope="module")
def built(project: Path) -> Path:
    """Artifacts for the Python and the processor that run these tests."""
    return build(project, THIS_PYTHON, THIS_ARCHITECTURE)


@pytest.fixture(scope="module")
def expanded() -> Json:
    printed: Json = json.loads(run(SAM / "python", "-c", EXPAND, TEMPLATE, folder=ROOT))
    return printed


def byte_code(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*.pyc")):
        yield path, path.read_bytes()


def test_sam_accepts_the_template() -> None:
    run(SAM / "sam", "validate", "--lint", "--template-file", TEMPLATE, folder=ROOT)


def test_sam_adds_no_role_of_its_own(expanded: Json) -> None:
    assert set(of_type(expanded, "AWS::IAM::Role")) == {
        f"{name}Role"
        for name in ("Trigger", "StepExecutor", "Api", "Sweeper", "DeadLetter", "Authorizer")
    }


def test_sam_makes_one_stage_and_no_second_api(expanded: Json) -> None:
    stages = of_type(expanded, "AWS::ApiGateway::Stage")

    assert [stage["StageName"] for stage in stages.values()] == [{"Ref": "StageName"}]
    assert list(of_type(expanded, "AWS::ApiGateway::RestApi")) == ["Api"]


def test_sam_keeps_the_settings_of_the_step_executor(expanded: Json) -> None:
    function = of_type(expanded, "AWS::Lambda::Function")["StepExecutorFunction"]
    source = of_type(expanded, "AWS::Lambda::EventSourceMapping")["StepExecutorFunctionSteps"]

    assert function["RecursiveLoop"] == "Allow"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "ExecutorMaximumConcurrency"}}


def test_every_artifact_is_compiled_for_this_python_and_never_checked(built: Path) -> None:
    unchecked_hash = (0b01).to_bytes(4, "little")
    headers = {code[:8] for _, code in byte_code(built)}

    assert headers == {importlib.util.MAGIC_NUMBER + unchecked_hash}
    assert {path.relative_to(built).parts[0] for path, _ in byte_code(built)} == {
        path.name for path in built.iterdir() if path.is_dir()
    }


@pytest.mark.parametrize(
    ("artifact", "folder"), [("TriggerFunction", "/var/task"), ("EngineLayer", "/opt")]
)
def test_tracebacks_name_files_where_lambda_has_them(
    built: Path, artifact: str, folder: str
) -> None:
    for path, code in byte_code(built / artifact):
        module = marshal.loads(code[16:])  # noqa: S302 - compiled by this test
        assert isinstance(module, CodeType)
        source = path.parent.parent / f"{path.name.split('.')[0]}.py"
        assert module.co_filename == f"{folder}/{source.relative_to(built / artifact)}"


def test_the_engine_layer_needs_nothing_but_itself(built: Path) -> None:
    program = "import everstep.core.retry, pydantic, ulid, aws_lambda_powertools as p; print(p)"

    printed = run(
        sys.executable, "-I", "-S", "-c", "import sys; sys.path.append(sys.argv[1]);" + program,
        built / "EngineLayer" / "python", folder=built,
    )  # fmt: skip

    assert str(built / "EngineLayer") in printed


def test_a_function_ships_its_folder_and_nothing_else(built: Path) -> None:
    names = {p.name for p in (built / "SweeperFunction").rglob("*") if p.suffix != ".pyc"}

    assert "handler.py" in names
    assert "Makefile" not in names


@pytest.mark.parametrize(
    ("runtime", "architecture"), [("python3.13", "arm64"), ("python3.12", "x86_64")]
)
def test_layers_can_be_built_for_another_python_and_another_processor(
    project: Path, runtime: str, architecture: str
) -> None:
    layer = build(project, runtime, architecture) / "EngineLayer" / "python"

    (library,) = layer.glob("pydantic_core/_pydantic_core.*.so")

    version = runtime.removeprefix("python").replace(".", "")
    assert library.name.split(".")[1] == f"cpython-{version}-{MACHINES[architecture]}-linux-gnu"


def test_a_build_for_an_unknown_runtime_says_which_ones_there_are(project: Path) -> None:
    done = subprocess.run(
        ["make", "-f", project / "functions" / "Makefile", "build-ApiFunction"],
        env={**os.environ, "RUNTIME": "python3.10", "ARTIFACTS_DIR": str(project / "unused")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "not python3.11, python3.12 or python3.13" in done.stderr


def test_a_build_without_the_runtimes_python_warns_and_leaves_byte_code_out(
    project: Path, tmp_path: Path
) -> None:
    (project / "tools" / "find_python.sh").rename(project / "tools" / "away.sh")
    try:
        printed = run(
            "make", "-f", project / "functions" / "Makefile", "build-ApiFunction",
            folder=project / "functions" / "api", ARTIFACTS_DIR=str(tmp_path),
        )  # fmt: skip
    finally:
        (project / "tools" / "away.sh").rename(project / "tools" / "find_python.sh")

    assert "built without byte code" in printed
    assert (tmp_path / "handler.py").exists()
    assert not list(byte_code(tmp_path))
