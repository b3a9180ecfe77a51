"""``everstep cost estimate``: what many runs of a workflow would cost, beside what others ask."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from everstep.cli import options
from everstep.cli.connection import registry_at_hand
from everstep.cli.cost import money
from everstep.cli.exits import ExitCode, usage
from everstep.cli.inputs import json_of
from everstep.cli.printing import as_json, facts, line, table

if TYPE_CHECKING:
    from everstep.cli.session import Session
    from everstep.client import Client
    from everstep.testing.estimate import Assumed, Estimate

_MOST: Final = 1e12
_MILLION: Final = 1_000_000

Name = Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow's name.")]
Runs = Annotated[float, typer.Option("--runs", metavar="N", help="So many runs: 1e6.")]
Input = Annotated[
    str | None, typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="The run's input.")
]
Mocks = Annotated[
    list[str] | None,
    typer.Option(
        "--mock", metavar="STEP=JSON", help="A step's result, in place of executing it; repeatable."
    ),
]
FromRuns = Annotated[
    int | None,
    typer.Option(
        "--from-runs",
        metavar="N",
        min=1,
        max=100,
        help="Play nothing: take the mean of the latest completed runs of the deployment.",
    ),
]
Batch = Annotated[int, typer.Option("--batch", min=1, max=10, help="Messages in a batch.")]
Memory = Annotated[int, typer.Option("--memory", min=128, max=10240, help="MB of the functions.")]
Millis = Annotated[
    int, typer.Option("--ms", min=1, help="Billed milliseconds per message, the steps' included.")
]


@options.of_deployment
def estimate(
    ctx: typer.Context,
    workflow: Name,
    *,
    runs: Runs = _MILLION,
    input: Input = None,  # noqa: A002 - the name in workflows
    mock: Mocks = None,
    from_runs: FromRuns = None,
    batch: Batch = 1,
    memory: Memory = 256,
    ms: Millis = 30,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Estimate what runs of a workflow would cost: it is played once, in memory.

    Its steps are executed, unless they are mocked. With --from-runs, runs that were made are
    looked at instead.
    """
    session: Session = ctx.obj
    if not 1 <= runs <= _MOST:
        raise usage(f"--runs must be from 1 to {_MOST:g}, not {runs:g}")
    if from_runs is not None:
        with session.connect(session, target) as client:
            told = _from_runs(client, workflow, from_runs)
    else:
        from everstep.testing.estimate import Assumed
        from everstep.testing.estimate import estimate as play

        value = None if input is None else json_of(input, "--input")
        assumed = Assumed(batch=batch, memory=memory, millis=ms)
        registry = registry_at_hand(session, target)
        found = play(registry, workflow, value, assumed, dict(map(_mocked, mock or [])))
        told = _told(found)
    told |= {"workflow": workflow, "runs": runs, "all": told["run"] * runs}
    told["peers"] = _peers(told["attempts"], runs)
    if json:
        as_json(told)
    else:
        _print(session, told)
    return ExitCode.DONE


def _mocked(given: str) -> tuple[str, Any]:
    step, equals, result = given.partition("=")
    if not (step and equals):
        raise usage(f"--mock must be STEP=JSON, not {given!r}")
    return step, json_of(result, f"--mock {step}")


def _told(found: "Estimate") -> dict[str, Any]:
    from everstep.app.prices import dollars, total_dollars

    arm = "arm64"
    return {
        "run": total_dollars(found.spent, arm),
        "by": dollars(found.spent, arm),
        "steps": {key: total_dollars(each, arm) for key, each in found.steps.items()},
        "attempts": found.attempts,
        "assumed": _assumptions(found.assumed),
    }


def _assumptions(assumed: "Assumed") -> str:
    return (
        f"{assumed.millis} ms billed per message at {assumed.memory} MB on arm64, batches of "
        f"{assumed.batch}, started by the API"
    )


def _from_runs(client: "Client", workflow: str, most: int) -> dict[str, Any]:
    listed = islice(client.runs(workflow=workflow, status="COMPLETED"), most)
    costs = [client.handle(each.id).cost() for each in listed]
    if not costs:
        raise usage(f"there is no completed run of {workflow}")
    parts = {name: sum(c.dollars_by[name] for c in costs) / len(costs) for name in _names(costs)}
    steps = sum(len(each.steps) for each in costs) / len(costs)
    return {
        "run": sum(each.dollars for each in costs) / len(costs),
        "by": parts,
        "steps": {},
        "attempts": steps,
        "assumed": f"the mean of {len(costs)} runs, as they were made",
    }


def _names(costs: "list[Any]") -> list[str]:
    return list(costs[0].dollars_by)


def _peers(steps: float, runs: float) -> dict[str, dict[str, Any]]:
    """Return what others ask for as many steps, by their price lists."""
    from everstep.app.prices import load_prices

    asked = {}
    for each in load_prices()["peers"].values():
        per_run = each.get("per_million_requests", 0) / _MILLION
        if "per_million_steps" in each:
            # A run adds one: its start.
            per_run = (steps + 1) * each["per_million_steps"] / _MILLION
        asked[each["name"]] = {"run": per_run, "all": per_run * runs, "without": each["extra"]}
    return asked


def _print(session: "Session", told: dict[str, Any]) -> None:
    facts(
        session.out,
        {
            "workflow": told["workflow"],
            "a run": (money(told["run"]), "bold"),
            f"{told['runs']:,.0f} runs": (money(told["all"]), "bold"),
            "assumed": told["assumed"],
        },
    )
    line(session.out)
    parts = [(name, part) for name, part in told["by"].items() if part]
    rows = [(name, money(part), money(part * told["runs"])) for name, part in parts]
    total = f"{told['runs']:,.0f} runs"
    table(session.out, ("paid for", "a run", total), rows)
    if told["steps"]:
        line(session.out)
        table(
            session.out,
            ("operation", "a run", total),
            [(key, money(each), money(each * told["runs"])) for key, each in told["steps"].items()],
        )
    line(session.out)
    table(
        session.out,
        ("others ask", "a run", total, "and besides"),
        [
            (name, money(each["run"]), money(each["all"]), each["without"])
            for name, each in told["peers"].items()
        ],
    )
