"""`make sam-invoke`: build, then invoke every function as built, against a LocalStack of its own.

Exit codes: 0 done (or left out, where SAM_INVOKE=skip allows that), 1 something failed, 3 there is
no container engine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep_localstack import LocalStack, LocalStackError, Options
from everstep_localstack.instance import home
from everstep_localstack.stacks import CREDENTIALS, REGION
from tools.record_events import EVENTS, FUNCTIONS, INSTANCE, PORT
from tools.sam.cli import SamError, build, main_error
from tools.sam.containers import containers
from tools.sam.emulated import Emulated
from tools.sam.engine import NoEngineError, engine, why_not
from tools.sam.relay import relay
from tools.sam.runtime import Interpreter, lay_runtime
from tools.sam.session import Deployed, deploy, events_in, one_each, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.sam.session import Invoked, Invoker

VARIABLE: Final = "SAM_INVOKE"
NO_ENGINE: Final = 3


class How(StrEnum):
    """What runs the functions."""

    CONTAINERS = "containers"
    EMULATOR = "emulator"
    SKIP = "skip"


def invoke_all(
    server: LocalStack, how: How, work: Path, say: Callable[[str], None], *, once: bool = False
) -> list[Invoked]:
    """Build, deploy to a LocalStack that runs, and invoke every function with its events.

    Args:
        server: Gets the system deployed.
        how: What runs the functions.
        work: For files of the time being.
        say: Is told what happens.
        once: Only the first event of each function.

    Raises:
        SamError: Something failed; the message says what.
        NoEngineError: Containers were asked for, and there is no engine.
    """
    interpreter = Interpreter.of(Options().python)
    say(f"build: sam build for {interpreter.runtime}")
    template = build(home() / "sam" / "build", interpreter.runtime)
    deployed = deploy(server, f"everstep-{how}", say)
    events = events_in(EVENTS)
    events = one_each(events, FUNCTIONS) if once else events
    with ExitStack() as held:
        invoker = _invoker(how, template, interpreter, deployed, work, held)
        say(f"invoke: {invoker.name}")
        done = []
        for each in use(invoker, deployed, events, FUNCTIONS):
            say(f"  {each.function:<22} {each.event:<24} {each.milliseconds:>5} ms  {each.summary}")
            done.append(each)
        return done


def _invoker(
    how: How,
    template: Path,
    interpreter: Interpreter,
    deployed: Deployed,
    work: Path,
    held: ExitStack,
) -> Invoker:
    if how is How.EMULATOR:
        return Emulated(
            build=template.parent,
            runtime=lay_runtime(interpreter, work / "runtime"),
            interpreter=interpreter,
            variables=_variables(deployed, deployed.server.endpoint_url),
            work=work,
        )
    running = held.enter_context(engine(work / "engine"))
    url = held.enter_context(relay(running.gateway(), deployed.server.options.port))
    return held.enter_context(
        containers(running, template, interpreter, _variables(deployed, url), work)
    )


def _variables(deployed: Deployed, url: str) -> dict[str, str]:
    return {
        **deployed.variables,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": CREDENTIALS,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def main(arguments: list[str] | None = None) -> int:
    """Do it all, and leave nothing behind that was started here."""
    parsed = _arguments(arguments)
    reason = why_not() if parsed.how is not How.EMULATOR else None
    if reason is not None:
        return _without_engine(reason, parsed.how)
    options = Options(instance=parsed.instance, port=parsed.port)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="everstep-sam-") as work,
            LocalStack(options) as server,
        ):
            done = invoke_all(server, parsed.how, Path(work), print)
    except NoEngineError as error:
        return _without_engine(str(error), parsed.how)
    except (SamError, LocalStackError, OSError) as error:
        return main_error(error)
    print(f"{len(done)} events, {len({each.function for each in done})} functions: all answered")
    return 0


def _without_engine(reason: str, how: How) -> int:
    print(f"sam-invoke needs a container engine: {reason}", file=sys.stderr)
    if how is How.SKIP:
        print(f"left out, because {VARIABLE}={How.SKIP}", file=sys.stderr)
        return 0
    print(
        f"{VARIABLE}={How.EMULATOR} make sam-invoke invokes the same artifacts without containers; "
        f"{VARIABLE}={How.SKIP} leaves it out",
        file=sys.stderr,
    )
    return NO_ENGINE


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sam-invoke", description=__doc__)
    parser.add_argument("--instance", default=INSTANCE)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument(
        "--how", type=How, choices=list(How), default=os.environ.get(VARIABLE) or How.CONTAINERS
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
