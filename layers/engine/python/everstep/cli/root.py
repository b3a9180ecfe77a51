"""The commands put together, and the one place where a call ends: with an exit code."""

import logging
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.main import get_command

from everstep.cli import (
    audit,
    check,
    cleanup,
    config,
    control,
    cost,
    deployed,
    doctor,
    estimate,
    init,
    keys,
    messages,
    replay_check,
    run_logs,
    runs,
    trigger,
)
from everstep.cli.exits import ExitCode
from everstep.cli.failures import explain
from everstep.cli.printing import line
from everstep.cli.session import Session, real

app = typer.Typer(
    name="everstep",
    help="Durable workflows on AWS serverless. Exit codes: 0 done, 1 failed, 2 usage, "
    "3 not found, 4 the run failed.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("trigger")(trigger.trigger)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.command("replay-check")(replay_check.replay_check)
app.command("health")(deployed.health)


def _group(name: str, text: str) -> typer.Typer:
    made = typer.Typer(name=name, help=text, no_args_is_help=True)
    app.add_typer(made)
    return made


_config = typer.Typer(name="config", invoke_without_command=True)
_config.callback()(config.show)
_config.command("check")(config.check)
app.add_typer(_config)
_cost = typer.Typer(
    name="cost",
    help="See what a run has cost (`cost RUN`), and what many would.",
    cls=cost.RunOrCommand,
    no_args_is_help=True,
)
_cost.command("run")(cost.run)
_cost.command("estimate")(estimate.estimate)
app.add_typer(_cost)
_runs = _group("runs", "Look at runs, and ask something of them.")
_runs.command("list")(runs.list_)
_runs.command("inspect")(runs.inspect)
_runs.command("result")(runs.result)
_runs.command("history")(runs.history)
_runs.command("logs")(run_logs.logs)
_runs.command("audit")(audit.audit)
_runs.command("cleanup")(cleanup.cleanup)
app.command("cleanup", hidden=True)(cleanup.cleanup)
_runs.command("cancel")(control.cancel)
_runs.command("pause")(control.pause)
_runs.command("resume")(control.resume)
_runs.command("retry")(control.retry)
_runs.command("fork")(control.fork)
_events = _group("events", "Tell runs what happened.")
_events.command("send")(messages.send)
_callbacks = _group("callbacks", "Answer what runs wait for.")
_callbacks.command("complete")(messages.complete)
_callbacks.command("fail")(messages.fail)
_callbacks.command("heartbeat")(messages.heartbeat)
_keys = _group("keys", "Manage the API keys of a deployment.")
_keys.command("create")(keys.create)
_keys.command("list")(keys.list_)
_keys.command("revoke")(keys.revoke)
_keys.command("rotate")(keys.rotate)
_workflows = _group("workflows", "Look at what is deployed.")
_workflows.command("list")(deployed.list_)
_workflows.command("show")(deployed.show)


def run(arguments: Sequence[str], session: Session | None = None) -> int:
    """Run one command and return its exit code; an error becomes one line on standard error.

    Args:
        arguments: What was typed after ``everstep``.
        session: Where to print and what to ask, instead of the process's own.
    """
    session = real() if session is None else session
    # Without a handler Python would print the engine's warnings as bare lines.
    logging.getLogger("everstep").addHandler(logging.NullHandler())
    try:
        return _code(
            get_command(app).main(
                list(arguments), prog_name="everstep", standalone_mode=False, obj=session
            )
        )
    except Exception as error:  # noqa: BLE001 - told below, whatever it is
        if session.debug:
            line(session.err, "".join(traceback.format_exception(error)))
        message, exit_code = explain(error, session.place)
        line(session.err, ("error: ", "bold red"), " ".join(message.split()))
        return exit_code


def _code(returned: Any) -> int:  # noqa: ANN401 - what a command returns passes through typer
    return returned if isinstance(returned, int) else ExitCode.DONE


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the value
    if wanted:
        typer.echo(f"everstep {_version()}")
        raise typer.Exit


def _version() -> str:
    try:
        return version("everstep")
    except PackageNotFoundError:
        return "(not installed as a package)"


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - the callback prints it
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Remember what holds for every command; without one, say which there are."""
    session: Session = ctx.obj
    session.debug = debug
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
