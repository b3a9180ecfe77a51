"""``everstep cost``: what a run has cost, and what many would."""

from typing import TYPE_CHECKING, Final

import typer
from typer.core import TyperGroup
from typing_extensions import override

from everstep.cli import options, shown
from everstep.cli.exits import ExitCode
from everstep.cli.printing import as_json, facts, line, table
from everstep.cli.runs import RunId

if TYPE_CHECKING:
    from typer._click.core import Context

    from everstep.cli.session import Session
    from everstep.client.answers import RunCost, Taken

_COLUMNS: Final = ("operation", "dollars", "reads", "writes", "sends", "invocations", "ms")
_REST: Final = "(start and end)"
_CENT: Final = 0.01
_HELP: Final = frozenset({"-h", "--help"})


class RunOrCommand(TyperGroup):
    """Takes a run where a command could stand: ``everstep cost RUN`` is ``cost run RUN``."""

    @override
    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Put the command before what is none."""
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@options.of_deployment
def run(
    ctx: typer.Context,
    run_id: RunId,
    *,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Show what a run has cost so far: in units as AWS bills them, and in dollars."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        found = client.handle(run_id).cost()
    if json:
        as_json(shown.data(found))
    else:
        _print(session, run_id, found)
    return ExitCode.DONE


def _print(session: "Session", run_id: str, found: "RunCost") -> None:
    prices = found.prices
    state = "complete" if found.complete else "so far: the run has not ended"
    facts(
        session.out,
        {
            "run": run_id,
            "cost": (f"{money(found.dollars)}, {state}", "bold"),
            "chain": f"{money(found.chain.dollars)}, with the runs before" if found.chain else None,
            "goes on as": found.successor,
            "DynamoDB": f"{found.read_units:g} read units, {found.write_units} write units, "
            f"{found.index_write_units} index write units, {found.table_requests} requests",
            "SQS": f"{found.sqs_sends} requests to send, {found.sqs_polls:g} to receive and delete",
            "Lambda": f"{found.invocations:g} invocations, {found.milliseconds} ms, "
            f"{found.gb_seconds:g} GB-seconds",
            "S3": f"{found.s3_puts} written, {found.s3_gets} read",
            "API": f"{found.api_requests} requests" if found.api_requests else None,
            "prices": f"of {prices.date}, {prices.region}, on demand, {prices.architecture}",
        },
    )
    line(session.out)
    rows = [_row(each.key, each) for each in found.steps]
    table(session.out, _COLUMNS, [*rows, _row(_REST, found.rest)])


def _row(name: str, taken: "Taken") -> tuple[str, ...]:
    return (
        name,
        money(taken.dollars),
        f"{taken.read_units:g}",
        str(taken.write_units + taken.index_write_units),
        str(taken.sqs_sends),
        f"{taken.invocations:g}",
        str(taken.milliseconds),
    )


def money(dollars: float) -> str:
    """Return dollars with as many digits as it takes to see something."""
    return f"${dollars:,.2f}" if dollars >= _CENT or not dollars else f"${dollars:.8f}"
