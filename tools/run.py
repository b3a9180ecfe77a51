"""`make run`: start LocalStack, deploy the whole system, run one example and show it finish."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from everstep_localstack import Deployment, LocalStack, LocalStackError, Options
from everstep_localstack.errors import PortTakenError
from tools.local_key import make_key
from tools.timeline import live_view, timeline

ROOT: Final = Path(__file__).parents[1]
STACK: Final = "everstep"
DEFAULT_INSTANCE: Final = "default"  # of `make stop`
TERMINAL: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "CONTINUED"})
# On AWS the table is protected from deletion; here that helps nobody.
LOCAL_PARAMETERS: Final = {"TableDeletionProtection": "false"}
# Not admin: that has its own way in, everstep keys at the table.
SCOPES: Final = ("trigger", "read", "control")
LOOK_EVERY: Final = 0.2
LONGEST_RUN: Final = 120.0
FAILED: Final = 1
# What a shell reports of a program that was ended by Ctrl-C.
INTERRUPTED: Final = 130


class RunFailedError(Exception):
    """The example did not finish; the message says how far it came."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is, and the key for it."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Api:
    """The deployed HTTP API."""

    url: str
    client: httpx.Client

    def trigger(self, workflow: str, body: object) -> str:
        """Start a run and return its id."""
        answer = self.client.post(f"{self.url}/triggers/{workflow}", json=body)
        return str(_document(answer, "run_id")["run_id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run with its steps."""
        answer = self.client.get(f"{self.url}/runs/{run_id}")
        return _document(answer, "status")


def _document(answer: httpx.Response, member: str) -> dict[str, Any]:
    """Return the JSON object of an answer, which succeeded and has a member of this name."""
    try:
        document = answer.json() if answer.is_success else None
    except ValueError:
        document = None
    if not isinstance(document, dict) or member not in document:
        request = f"{answer.request.method} {answer.request.url}"
        raise RunFailedError(f"{request}: {answer.status_code} {answer.text}")
    return document


def local_api_url(server: LocalStack, outputs: dict[str, str]) -> str:
    """Return where LocalStack serves the API of a stack."""
    return f"{server.endpoint_url}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}"


def watch(api: Api, run_id: str, console: Console) -> dict[str, Any]:
    """Show a run until it ends, and return it."""
    deadline = time.monotonic() + LONGEST_RUN
    run = api.run(run_id)
    with Live(live_view(run), console=console, refresh_per_second=10, transient=True) as live:
        while run["status"] not in TERMINAL:
            if run["status"] == "STALLED" or time.monotonic() > deadline:
                raise RunFailedError(f"run {run_id} is {run['status']}: {json.dumps(run)}")
            time.sleep(LOOK_EVERY)
            run = api.run(run_id)
            live.update(live_view(run))
    return run


def main(arguments: list[str] | None = None) -> int:
    """Do it all, saying what happens while it happens."""
    parsed = _arguments(arguments)
    console = Console(highlight=False)
    server = LocalStack(Options(instance=parsed.instance, port=parsed.port))
    try:
        _run(parsed, console, server)
    except PortTakenError as error:
        again = "PYTHONPATH=localstack .everstep/venvs/dev/bin/python -m tools.run"
        return _fail(console, f"{error}: {again} --instance other --port {parsed.port + 1}")
    except httpx.RequestError as error:
        reason = str(error) or type(error).__name__
        return _fail(console, f"no answer from {error.request.url}: {reason}")
    except (LocalStackError, RunFailedError, OSError) as error:
        return _fail(console, str(error))
    except KeyboardInterrupt:
        what_next = f"LocalStack may still run: {_how_to_stop(parsed)} ends it"
        console.print(f"interrupted; {what_next}", soft_wrap=True)
        return INTERRUPTED
    return 0


def _fail(console: Console, reason: str) -> int:
    # Escaped here and below: brackets in what others wrote are no markup.
    console.print(f"[bold red]error:[/] {escape(reason)}", soft_wrap=True)
    return FAILED


def _how_to_stop(parsed: argparse.Namespace) -> str:
    if parsed.instance == DEFAULT_INSTANCE:
        return "make stop"
    python = ".everstep/venvs/localstack/bin/python"
    return f"{python} -m everstep_localstack stop --instance {parsed.instance}"


def _run(parsed: argparse.Namespace, console: Console, server: LocalStack) -> None:
    console.print("[bold]==> LocalStack[/] (no Docker)")
    server.start()
    server.wait()
    console.print(f"    ready at {server.endpoint_url}")
    console.print("[bold]==> deploy[/] template.yaml")
    deployment = Deployment(
        template=ROOT / "template.yaml", stack=STACK, parameters=LOCAL_PARAMETERS
    )
    outputs = server.stacks(
        lambda line: console.print(f"    {escape(line)}", soft_wrap=True)
    ).deploy(deployment)
    url = local_api_url(server, outputs)
    key = make_key(server, outputs["TableName"], "make run", SCOPES)
    body = _input(parsed.example)
    name = parsed.example.replace("_", "-")
    # Not wrapped, so that an address can be clicked and copied.
    console.print(f"[bold]==> POST[/] {url}/triggers/{name}", soft_wrap=True)
    console.print(f"    {json.dumps(body)}", soft_wrap=True, markup=False)
    with httpx.Client(timeout=30, headers={"Authorization": f"Bearer {key}"}) as client:
        api = Api(url, client)
        run_id = api.trigger(name, body)
        console.print(f"    accepted: run {run_id}")
        run = watch(api, run_id, console)
    console.print(timeline(run))
    console.print(f"[bold]result[/]  {escape(json.dumps(run.get('result')))}", soft_wrap=True)
    _print_what_next(console, Access(url, key), run_id, name, body)
    console.print(f"\n[bold]{_how_to_stop(parsed)}[/] ends it.", soft_wrap=True)
    if run["status"] != "COMPLETED":
        raise RunFailedError(f"run {run_id} ended {run['status']}: {run.get('error')}")


def _input(example: str) -> object:
    path = ROOT / "examples" / example / "input.json"
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise RunFailedError(f"{path} is not JSON: {error}") from error


def _print_what_next(
    console: Console, access: Access, run_id: str, name: str, body: object
) -> None:
    console.print("\n[bold]The stack stays up.[/] Its API asks for a key, shown here once. Try:\n")
    post = f'curl -H "$AUTH" -X POST $API/triggers/{name}'
    for line in (
        f"API={access.url}",
        f"AUTH='Authorization: Bearer {access.key}'",
        f"{post} -H 'Content-Type: application/json' -d '{json.dumps(body)}'",
        f'curl -H "$AUTH" $API/runs/{run_id}',
        f'curl -H "$AUTH" "$API/runs/{run_id}/result?wait=20"',
        f'curl -H "$AUTH" "$API/runs?workflow={name}&limit=5"',
        'curl -H "$AUTH" $API/workflows',
    ):
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--example", default="welcome_email", choices=["welcome_email", "order"])
    parser.add_argument("--instance", default=DEFAULT_INSTANCE)
    parser.add_argument("--port", type=int, default=4566)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
