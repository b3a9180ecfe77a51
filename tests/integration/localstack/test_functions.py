"""Functions on LocalStack end as they do on AWS, whatever they do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.integration.localstack.conftest import System

PROBE: Final = "Probe"
THROTTLED: Final = "TooManyRequestsException"


def test_a_function_imports_what_its_layer_brings(system: System) -> None:
    reply = system.invoke(PROBE, {})

    assert reply.error is None
    assert reply.payload["layer"] == "first"


def test_a_function_comes_before_its_layer_on_the_path(system: System) -> None:
    path = [Path(folder) for folder in system.invoke(PROBE, {}).payload["path"]]

    assert (path[0] / "probe.py").is_file()
    assert (path[2] / "greeting.py").is_file()


def test_a_function_sees_lambdas_environment_and_its_own_variables(system: System) -> None:
    environment = system.invoke(PROBE, {}).payload["environment"]

    assert environment["GREETING"] == "hello from plugin"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == system.outputs[PROBE]
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_ENDPOINT_URL"] == system.server.endpoint_url
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_ACCESS_KEY_ID"]
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"


def test_the_next_invocation_uses_the_same_process(system: System) -> None:
    first = system.invoke(PROBE, {}).payload["pid"]

    assert system.invoke(PROBE, {}).payload["pid"] == first


def test_a_function_is_killed_at_its_time_out_and_works_again(system: System) -> None:
    before = system.invoke(PROBE, {}).payload["pid"]
    began = time.monotonic()

    reply = system.invoke(PROBE, {"do": "sleep", "seconds": 30})

    assert 2 <= time.monotonic() - began < 4
    assert reply.error == "Unhandled"
    assert reply.payload["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in reply.payload["errorMessage"]
    assert system.invoke(PROBE, {}).payload["pid"] != before


def test_a_function_that_exits_is_an_exit_error_and_works_again(system: System) -> None:
    reply = system.invoke(PROBE, {"do": "exit", "status": 3})

    assert reply.error == "Unhandled"
    assert reply.payload["errorType"] == "Runtime.ExitError"
    assert reply.payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert system.invoke(PROBE, {}).error is None


def test_an_exception_is_reported_with_its_type_and_message(system: System) -> None:
    reply = system.invoke(PROBE, {"do": "raise", "message": "boom"})

    assert reply.error == "Unhandled"
    assert reply.payload["errorType"] == "RuntimeError"
    assert reply.payload["errorMessage"] == "boom"


def test_a_function_that_takes_too_much_memory_is_killed(system: System) -> None:
    reply = system.invoke("Small", {"do": "allocate", "megabytes": 600})

    assert reply.payload["errorType"] == "Runtime.ExitError"
    assert reply.payload["errorMessage"].endswith("signal: killed")
    assert "Max Memory Used: 128 MB" in reply.log
    assert system.invoke("Small", {}).error is None


def test_a_function_that_cannot_be_imported_says_so_every_time(system: System) -> None:
    for _ in range(2):
        reply = system.invoke("Broken", {})
        assert reply.error == "Unhandled"
        assert reply.payload["errorType"] == "Runtime.ImportModuleError"
        assert "a_module_that_does_not_exist" in reply.payload["errorMessage"]


def test_a_function_that_loads_too_slowly_times_out(system: System) -> None:
    began = time.monotonic()

    reply = system.invoke("SlowInit", {})

    assert reply.payload["errorType"] == "Sandbox.Timedout"
    # Ten seconds to load, then again within the function's own two.
    assert 12 <= time.monotonic() - began < 16


def test_an_answer_over_six_megabytes_is_refused(system: System) -> None:
    reply = system.invoke(PROBE, {"do": "return_much", "bytes": 7_000_000})

    assert reply.error == "Unhandled"
    assert reply.payload["errorType"] == "Function.ResponseSizeTooLarge"


def test_an_invocation_is_logged_between_its_start_and_its_report(system: System) -> None:
    lines = system.invoke(PROBE, {"do": "mark"}).log.splitlines()

    kinds = [line.split()[0] for line in lines]
    assert kinds == ["START", "probe:", "END", "REPORT"]
    assert "Memory Size: 256 MB" in lines[-1]


def test_log_lines_arrive_in_cloudwatch_logs(system: System) -> None:
    system.invoke(PROBE, {"do": "mark", "text": "find me"})

    deadline = time.monotonic() + 10
    while not any("find me" in line for line in _log(system)):
        assert time.monotonic() < deadline, "the line did not arrive within 10 s"
        time.sleep(0.1)


def _log(system: System) -> list[str]:
    return system.server.function_log(system.outputs[PROBE])


def test_many_concurrent_invocations_each_get_a_process(system: System) -> None:
    with ThreadPoolExecutor(6) as pool:
        replies = list(
            pool.map(lambda _: system.invoke(PROBE, {"do": "sleep", "seconds": 1}), range(6))
        )

    assert [reply.error for reply in replies] == [None] * 6
    assert len({reply.payload["pid"] for reply in replies}) == 6


def test_reserved_concurrency_throttles_what_comes_beyond_it(system: System) -> None:
    def attempt(_: int) -> str:
        try:
            return str(system.invoke("Limited", {"do": "sleep", "seconds": 3}).error)
        except system.lambda_client.exceptions.TooManyRequestsException:
            return THROTTLED

    with ThreadPoolExecutor(3) as pool:
        results = sorted(pool.map(attempt, range(3)))

    assert results == ["None", "None", THROTTLED]


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_rule_invokes_its_function_every_minute(system: System) -> None:
    fired = system.receive_results(lambda result: result["task"] == "scheduled", 1, 90)

    assert fired
    assert fired[0]["event"]["source"] == "aws.events"
    assert fired[0]["event"]["detail-type"] == "Scheduled Event"
