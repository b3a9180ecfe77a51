"""``everstep workflows`` and ``everstep health``: what is deployed, and whether it answers."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from everstep.cli import options, shown
from everstep.cli.completion import workflow_names
from everstep.cli.exits import ExitCode, not_found
from everstep.cli.printing import as_json, as_json_line, line, table

if TYPE_CHECKING:
    from everstep.cli.session import Session
    from everstep.client import WorkflowInfo

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name.", autocompletion=workflow_names)
]


@options.of_deployment
def list_(
    ctx: typer.Context,
    *,
    json: options.Json = False,
    json_lines: options.JsonLines = False,
    target: options.Target,
) -> int:
    """List the workflows that are deployed, with their versions, oldest first."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        found = client.workflows()
    if json_lines:
        for each in found:
            as_json_line(shown.data(each))
    elif json:
        as_json([shown.data(each) for each in found])
    else:
        rows = [(each.name, ", ".join(v.version for v in each.versions)) for each in found]
        table(session.out, ("workflow", "versions"), rows)
    return ExitCode.DONE


@options.of_deployment
def show(
    ctx: typer.Context, name: Name, *, json: options.Json = False, target: options.Target
) -> int:
    """Show a workflow: what each of its versions takes and gives, as JSON Schema."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        found = _named(client.workflows(), name)
    if json:
        as_json(shown.data(found))
        return ExitCode.DONE
    for version in found.versions:
        line(session.out, (found.name, "bold"), f" version {version.version}")
        line(session.out, f"  input   {shown.schema(version.input_schema)}")
        line(session.out, f"  output  {shown.schema(version.output_schema)}")
    return ExitCode.DONE


def _named(workflows: "tuple[WorkflowInfo, ...]", name: str) -> "WorkflowInfo":
    names = {each.name: each for each in workflows}
    if name in names:
        return names[name]
    near = get_close_matches(name, list(names), 1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
    raise not_found(f"there is no workflow {name}; {meant}")


@options.of_deployment
def health(ctx: typer.Context, *, json: options.Json = False, target: options.Target) -> int:
    """Say whether the deployment answers, and reaches its table."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        answer = dict(client.health())
    if json:
        as_json(answer)
    else:
        said = f" (version {answer['version']})" if "version" in answer else ""
        line(session.out, (str(answer["status"]), "green"), said)
    return ExitCode.DONE
