"""The command line: `python -m everstep_localstack <command>`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep_localstack.errors import LocalStackError
from everstep_localstack.instance import DEFAULT_PORT, DynamoDb, Options
from everstep_localstack.server import READY_SECONDS, LocalStack
from everstep_localstack.stacks import Deployment, StackDeployer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Parser = argparse.ArgumentParser
OK: Final = 0
FAILED: Final = 1
DEFAULT_STACK: Final = "everstep"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, or 1 with the reason on standard error."""
    parsed = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = parsed.run
    try:
        run(parsed)
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return OK


def _start(parsed: argparse.Namespace) -> None:
    server = LocalStack(_options(parsed))
    running = server.status()
    began = time.monotonic()
    server.start()
    if running is not None:
        print(f"LocalStack {server.options.instance!r} already runs: {server.endpoint_url}")
        return
    server.wait(parsed.seconds)
    took = time.monotonic() - began
    print(f"LocalStack {server.options.instance!r} is ready: {server.endpoint_url} ({took:.1f} s)")


def _wait(parsed: argparse.Namespace) -> None:
    server = LocalStack(_options(parsed))
    server.wait(parsed.seconds)
    print(f"LocalStack {server.options.instance!r} is ready: {server.endpoint_url}")


def _status(parsed: argparse.Namespace) -> None:
    server = LocalStack(_options(parsed))
    record = server.status()
    if record is None:
        print(f"LocalStack {server.options.instance!r} is not running")
        return
    state = "ready" if server.is_ready() else "starting"
    functions = len(server.process_ids()) - 1
    print(f"LocalStack {server.options.instance!r} is {state}: {server.endpoint_url}")
    print(f"process {record.pid}, {functions} function processes; {record.description}")
    print(f"log: {server.folders.log}")


def _stop(parsed: argparse.Namespace) -> None:
    server = LocalStack(_options(parsed))
    stopped = server.stop()
    print(f"LocalStack {server.options.instance!r} {'stopped' if stopped else 'was not running'}")


def _deploy(parsed: argparse.Namespace) -> None:
    began = time.monotonic()
    deployment = Deployment(
        template=parsed.template,
        stack=parsed.stack,
        parameters=dict(parsed.parameter),
        artifacts={name: Path(path) for name, path in parsed.artifact},
    )
    outputs = _deployer(parsed).deploy(deployment)
    _say(f"stack {parsed.stack}: {time.monotonic() - began:.1f} s")
    _print_outputs(outputs)


def _teardown(parsed: argparse.Namespace) -> None:
    _deployer(parsed).teardown(parsed.stack)


def _outputs(parsed: argparse.Namespace) -> None:
    _print_outputs(_deployer(parsed).outputs(parsed.stack))


def _logs(parsed: argparse.Namespace) -> None:
    server = LocalStack(_options(parsed))
    if parsed.function is None:
        print(server.log_tail(parsed.lines))
        return
    for line in server.function_log(parsed.function)[-parsed.lines :]:
        print(line)


def _deployer(parsed: argparse.Namespace) -> StackDeployer:
    if parsed.endpoint_url is not None:
        return StackDeployer.at(parsed.endpoint_url, _say)
    return LocalStack(_options(parsed)).stacks(_say)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_outputs(outputs: dict[str, str]) -> None:
    for name, value in sorted(outputs.items()):
        print(f"{name}={value}")


def _options(parsed: argparse.Namespace) -> Options:
    given = {
        name: getattr(parsed, name)
        for name in ("instance", "port", "pollers", "dynamodb", "python")
        if getattr(parsed, name, None) is not None
    }
    return Options(**given)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not {text!r}")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="everstep_localstack", description="LocalStack without Docker."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> _Parser:
        command: _Parser = commands.add_parser(name, help=text, description=text)
        command.add_argument("--instance", help="name of the instance (default: default)")
        command.set_defaults(run=run)
        return command

    _add_start_options(add("start", _start, "start in the background and wait until ready"))
    waiting = add("wait", _wait, "wait until ready")
    waiting.add_argument("--seconds", type=float, default=READY_SECONDS, help="longest time")
    add("status", _status, "say whether it runs, and where")
    add("stop", _stop, "stop it and every process it started")
    _add_deploy_options(add("deploy", _deploy, "package and deploy a SAM template"))
    _add_stack_options(add("teardown", _teardown, "delete a stack"))
    _add_stack_options(add("outputs", _outputs, "print a stack's outputs, as NAME=VALUE lines"))
    logs = add("logs", _logs, "print the end of LocalStack's log, or of a function's")
    logs.add_argument("--function", help="name of the function: its lines in CloudWatch Logs")
    logs.add_argument("--lines", type=int, default=100)
    return parser


def _add_start_options(command: _Parser) -> None:
    command.add_argument("--port", type=int, help=f"where to listen (default: {DEFAULT_PORT})")
    command.add_argument("--pollers", type=int, help="concurrent batches per SQS mapping")
    command.add_argument("--dynamodb", type=DynamoDb, choices=list(DynamoDb), help="who answers it")
    command.add_argument("--python", type=Path, help="interpreter that runs the functions")
    command.add_argument("--seconds", type=float, default=READY_SECONDS, help="longest start")


def _add_stack_options(command: _Parser) -> None:
    command.add_argument("--stack", default=DEFAULT_STACK)
    command.add_argument("--endpoint-url", help="another emulator, instead of the instance")


def _add_deploy_options(command: _Parser) -> None:
    _add_stack_options(command)
    command.add_argument("--template", type=Path, default=Path("template.yaml"))
    for option, text in (
        ("--parameter", "value of a template parameter; may be repeated"),
        ("--artifact", "folder for a function or layer, by logical id; may be repeated"),
    ):
        command.add_argument(
            option, type=_pair, action="append", default=[], metavar="NAME=VALUE", help=text
        )
