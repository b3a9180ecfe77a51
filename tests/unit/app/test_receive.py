"""Messages as they come from the queue: text that may be anything."""

import pytest

from everstep.app.outcomes import Done
from everstep.app.receive import receive
from everstep.core import messages
from everstep.core.model import RunStatus
from tests.unit.app.definitions import one_step
from tests.unit.app.world import World


def test_a_message_is_processed() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    body = messages.encode(world.take())

    assert receive(world.engine, "m-1", body, lambda: 60_000) is Done.ADVANCED
    assert world.status(run_id) is RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("body", "done", "reason"),
    [
        ("{}", Done.MALFORMED, "a message has no field 'run'"),
        ('{"run":"nobody","kind":"start","tok":"t"}', Done.UNKNOWN_RUN, "there is no run nobody"),
    ],
)
def test_a_message_of_no_run_is_kept_and_not_retried(body: str, done: Done, reason: str) -> None:
    world = World(one_step)

    assert receive(world.engine, "m-1", body) is done
    (kept,) = world.store.dead_letters
    assert (kept.message_id, kept.body, kept.reason) == ("m-1", body, reason)
