"""Settings are read strictly, workflows are found wherever they are, clients are made late."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import pytest
from moto import mock_aws

from everstep.adapters.errors import AdapterError
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.s3 import S3Blobs
from everstep.app.engine import Limits
from everstep.core.places import place
from everstep.core.retry import Retry
from everstep.loading import load_registry
from everstep.settings import Settings, SettingsError
from everstep.wiring import (
    Clients,
    LazyBlobs,
    ReadOnlyClients,
    ReadOnlyError,
    build_engine,
    engine_from_env,
    limits_of,
    settings_from_env,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRED: Final = {
    "EVERSTEP_TABLE": "table",
    "EVERSTEP_QUEUE_URL": "http://127.0.0.1:1/q",
    "EVERSTEP_BUCKET": "bucket",
}


# --- Settings


def unmeasured(engine: Path) -> dict[str, str]:
    """Return the environment, but for what loads modules of its own into every process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return {**kept, "PYTHONPATH": str(engine)}


def test_what_is_not_set_has_the_defaults_of_the_template() -> None:
    settings = Settings.read(REQUIRED)
    assert settings == Settings(table="table", queue_url="http://127.0.0.1:1/q", bucket="bucket")
    assert limits_of(settings) == Limits()


def test_every_variable_is_read() -> None:
    settings = Settings.read(
        REQUIRED
        | {
            "EVERSTEP_WORKFLOWS": "shop,bank.flows",
            "EVERSTEP_LOG_LEVEL": "DEBUG",
            "EVERSTEP_START_GRACE_SECONDS": "240",
            "EVERSTEP_WATCHDOG_SECONDS": "60",
            "EVERSTEP_INLINE_LIMIT_BYTES": "1024",
            "EVERSTEP_MAX_PAYLOAD_BYTES": "2048",
            "EVERSTEP_MAX_RECEIVES": "7",
        }
    )
    assert settings.workflows == ("shop", "bank.flows")
    assert (settings.log_level, settings.max_receives) == ("DEBUG", 7)
    assert limits_of(settings) == Limits(inline=1024, payload=2048, grace=240_000, watchdog=60_000)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("EVERSTEP_TABLE", " ", "EVERSTEP_TABLE must be set"),
        ("EVERSTEP_WORKFLOWS", "a,,b", "EVERSTEP_WORKFLOWS must name Python packages"),
        ("EVERSTEP_WORKFLOWS", "a/b", "separated by commas, not 'a/b'"),
        ("EVERSTEP_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR, not 'LOUD'"),
        ("EVERSTEP_START_GRACE_SECONDS", "0", "a whole number from 1, not '0'"),
        ("EVERSTEP_WATCHDOG_SECONDS", "1.5", "from 60, not '1.5'"),
        ("EVERSTEP_WATCHDOG_SECONDS", "²", "from 60, not '²'"),
        ("EVERSTEP_INLINE_LIMIT_BYTES", "131073", "from 1024 to 131072, not '131073'"),
        ("EVERSTEP_MAX_PAYLOAD_BYTES", "-1", "from 1024, not '-1'"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_what_is_allowed(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({**REQUIRED, name: value})
    assert name in str(error.value)
    assert says in str(error.value)


def test_an_engine_that_only_reads_needs_no_queue() -> None:
    some = {"EVERSTEP_TABLE": "table", "EVERSTEP_BUCKET": "bucket"}
    assert Settings.for_reading(some).table == "table"
    assert Settings.for_reading(REQUIRED) == Settings.read(REQUIRED)
    with pytest.raises(SettingsError, match="EVERSTEP_BUCKET must be set"):
        Settings.for_reading({"EVERSTEP_TABLE": "table"})


# --- Workflows


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an importable, empty package called ``flows``."""
    folder = tmp_path / "flows"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [each for each in sys.modules if each.split(".")[0] == "flows"]:
        del sys.modules[name]


def define(path: Path, name: str, version: str = "1") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "from everstep import workflow\n"
        f"@workflow(name={name!r}, version={version!r})\n"
        "async def flow(ctx): ...\n",
        encoding="utf-8",
    )


def test_workflows_are_found_in_the_package_and_everything_below_it(package: Path) -> None:
    define(package / "__init__.py", "top")
    define(package / "orders.py", "orders")
    define(package / "inner" / "__init__.py", "inner")
    define(package / "inner" / "deep.py", "deep")
    registry = load_registry(["flows"])
    assert registry.names == ["deep", "inner", "orders", "top"]
    assert registry.faults == {}


def test_a_folder_without_init_and_a_plain_module_are_packages_too(package: Path) -> None:
    define(package / "orders.py", "orders")
    assert load_registry(["flows"]).names == ["orders"]
    assert load_registry(["flows.orders"]).names == ["orders"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import tea_pot", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("raise SystemExit(3)", "ImportError"),
        ("from everstep import workflow\n@workflow\ndef f(ctx): ...", "DefinitionError"),
    ],
)
def test_a_module_that_cannot_be_imported_does_not_stop_the_others(
    package: Path, code: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    (package / "broken.py").write_text(code, encoding="utf-8")
    define(package / "orders.py", "orders")
    with caplog.at_level(logging.ERROR, logger="everstep.loading"):
        registry = load_registry(["flows", "flows_that_are_not_there"])
    assert registry.names == ["orders"]
    assert type(registry.faults["flows.broken"]).__name__ == error
    assert isinstance(registry.faults["flows_that_are_not_there"], ModuleNotFoundError)
    assert [vars(record)["workflows"] for record in caplog.records] == list(registry.faults)


def test_a_workflow_imported_elsewhere_is_the_same_workflow(package: Path) -> None:
    define(package / "orders.py", "orders")
    (package / "__init__.py").write_text("from flows.orders import flow", encoding="utf-8")
    registry = load_registry(["flows"])
    assert (registry.names, registry.faults) == (["orders"], {})


def test_of_two_workflows_with_one_name_and_version_neither_is_used(package: Path) -> None:
    define(package / "a.py", "twin")
    define(package / "b.py", "twin")
    define(package / "c.py", "twin", "2")
    registry = load_registry(["flows"])
    assert registry.versions("twin") == ["2"]
    assert "two workflows are called twin version 1" in str(registry.faults["flows.b"])


# --- Clients and engine


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [each for each in os.environ if each.startswith("EVERSTEP_")]:
        monkeypatch.delenv(name)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    logger = logging.getLogger("everstep")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before
    engine_from_env.cache_clear()
    settings_from_env.cache_clear()


@pytest.mark.usefixtures("_environment")
def test_the_engine_is_made_once_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTEP_LOG_LEVEL", "WARNING")
    engine = engine_from_env()
    assert engine is engine_from_env()
    assert engine.limits == Limits()
    assert set(engine.registry.faults) <= {"workflows"}
    assert logging.getLogger("everstep").level == logging.WARNING
    assert engine.timers.shards > 0


@pytest.mark.usefixtures("_environment")
def test_a_file_beside_the_workflows_is_found_where_they_are_imported_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "everstep.toml").write_text(
        "max_concurrent_runs = 7\nrun_timeout_seconds = 60\nretry_max_attempts = 9\n"
        "retry_jitter = false\n[max_concurrent_runs_of]\nshop = 2\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    limits = limits_of(settings_from_env())
    assert (limits.runs, limits.runs_of, limits.run_timeout) == (7, {"shop": 2}, 60_000)
    assert limits.retry == Retry(max_attempts=9, jitter=False)
    assert limits.step_timeout is None


def test_where_there_is_no_file_nothing_is_loaded_to_read_one(tmp_path: Path) -> None:
    script = (
        "import sys, everstep.settings as s; before = set(sys.modules)\n"
        f"s.Settings.read({REQUIRED!r}, ['.'])\n"
        "sys.exit('tomllib' in sys.modules or bool(set(sys.modules) - before))"
    )
    engine = Path(__file__).parents[2] / "layers/engine/python"
    environment = unmeasured(engine)
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, env=environment, cwd=tmp_path
    )
    assert ended.returncode == 0


def test_clients_give_up_within_what_the_gateway_waits() -> None:
    client: Any = Clients().make("dynamodb")
    config = client.meta.config
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] * config.read_timeout < 29
    assert (config.connect_timeout, config.tcp_keepalive) == (2, True)


def test_clients_go_where_they_are_told() -> None:
    clients = Clients(region="eu-west-1", endpoint_url="http://127.0.0.1:9")
    meta = clients.make("dynamodb").meta
    assert (meta.region_name, meta.endpoint_url) == ("eu-west-1", "http://127.0.0.1:9")


def test_a_profile_or_region_that_is_not_there_is_said_in_words_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(AdapterError, match=r"AWS client for sqs: ProfileNotFound: .*\(nobody\)"):
        Clients(profile="nobody").make("sqs")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(AdapterError, match="NoRegionError: You must specify a region"):
        Clients().make("dynamodb")


def test_every_service_that_the_sdk_knows_can_still_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own-service").mkdir()
    monkeypatch.setenv("AWS_DATA_PATH", f"{tmp_path}:/nonexistent")
    known = set(Clients()._session.get_component("data_loader").list_available_services("any"))
    sdk = botocore.session.Session().get_component("data_loader")
    assert known >= {"own-service", *sdk.list_available_services("service-2")}
    with pytest.raises(AdapterError, match="UnknownServiceError"):
        Clients().make("teleport")


def test_a_client_that_only_reads_refuses_to_write_before_anything_is_sent() -> None:
    clients = ReadOnlyClients(endpoint_url="http://127.0.0.1:9")
    engine = build_engine(Settings.for_reading(REQUIRED), clients)
    with pytest.raises(ReadOnlyError, match="PutItem is refused"):
        engine.dead_letters.keep("message", "{}", "reason", 0)
    with pytest.raises(ReadOnlyError, match="PutObject is refused"):
        engine.blobs.put("run", "text")


def test_a_client_that_only_reads_does_read() -> None:
    with mock_aws():
        clients = ReadOnlyClients()
        engine = build_engine(Settings.for_reading(REQUIRED), clients)
        with pytest.raises(AdapterError) as error:
            engine.runs.head("run")
    assert error.value.code == "ResourceNotFoundException"


def test_the_s3_client_is_made_for_the_first_large_payload_only() -> None:
    asked: list[str] = []

    class Counting(Clients):
        def make(self, service: str) -> Any:  # noqa: ANN401
            asked.append(service)
            return super().make(service)

    engine = build_engine(Settings.read(REQUIRED), Counting())
    assert asked == ["dynamodb", "sqs"]
    assert isinstance(engine.blobs, LazyBlobs)
    assert isinstance(engine.blobs._blobs, S3Blobs)
    assert asked == ["dynamodb", "sqs", "s3"]


def test_lazy_blobs_are_made_once_and_pass_everything_on() -> None:
    made: list[MemoryBlobs] = []

    def make() -> MemoryBlobs:
        made.append(MemoryBlobs())
        return made[-1]

    blobs = LazyBlobs(make)
    assert made == []
    ref = blobs.put("run", "text")
    assert blobs.get(blobs.copy(ref, "other")) == "text"
    assert blobs.clear("run")
    assert made[-1].refs == {place("other", b"text")}
    assert len(made) == 1


def test_importing_the_wiring_imports_no_sdk() -> None:
    script = "import sys, everstep.wiring; sys.exit('botocore' in sys.modules)"
    engine = Path(__file__).parents[2] / "layers/engine/python"
    # Wherever this Python has the package from, or has it not.
    environment = unmeasured(engine)
    ended = subprocess.run([sys.executable, "-c", script], check=False, env=environment)
    assert ended.returncode == 0
