"""Whatever leaves the process is searched for every secret that was put in."""

from __future__ import annotations

import base64
import io
import json
import logging
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel, SecretStr

from everstep import Context, Retry, StepFailed, logs, mask, step, workflow
from everstep.app.receive import put_aside
from everstep.authoring import capture
from everstep.core.errors import UnreadablePayloadError
from everstep.core.hiding import work_on
from everstep.core.run_logs import LogLimits
from everstep.core.tokens import make_token
from tests.unit.cli.operating import TRANSPORTS, Operated
from tests.unit.http.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPED: Final = "typed-Zk81pQ"
NAMED: Final = "named-Wm27rX"
NESTED: Final = "nested-Lh93sV"
FOUND: Final = "found-Tc64dB"
LATER: Final = "later-Ny58gJ"
CHILD: Final = "child-Fv12kM"
EVENT: Final = "event-Rb76hD"
ANSWER: Final = "answer-Qw35nC"
SECRETS: Final = (TYPED, NAMED, NESTED, FOUND, LATER, CHILD, EVENT, ANSWER)
_NUMBERS = count()
_LOG: Final = logging.getLogger("shop")


class Account(BaseModel):
    user: str
    phrase: SecretStr
    password: str
    settings: dict[str, Any]


@step(retry=Retry.never())
def find(account: Account) -> dict[str, Any]:
    mask(FOUND)
    print(f"found {FOUND} for {account.user}")  # noqa: T201
    _LOG.warning("Authorization: Bearer %s", FOUND, extra={"api_key": NESTED, "n": FOUND})
    packed = base64.b64encode(f"{account.user}:{FOUND}".encode()).decode()
    return {"seen": f"x{FOUND}x", "basic": packed, "phrase": account.phrase}


@step(retry=Retry(max_attempts=2, initial_delay=1))
def refuse(account: Account) -> None:
    mask(LATER)
    given = account.phrase.get_secret_value()
    # A message is cut in the middle of the last one.
    raise ValueError(f"no {given}, {LATER}; password={account.password} " + "." * 1938 + FOUND)


@workflow
async def helping(ctx: Context, given: str) -> dict[str, str]:
    mask(CHILD)
    await ctx.sleep(1)
    return {"given": given, "mine": CHILD}


@workflow
async def leaking(ctx: Context, account: Account) -> dict[str, Any]:
    found = await ctx.step(find, account)
    ctx.logger.info("have %s and %s", found["seen"], account.phrase.get_secret_value())
    why = ""
    try:
        await ctx.step(refuse, account)
    except StepFailed as error:
        why = error.message
    helped = await ctx.call(helping, FOUND)
    told = await ctx.wait_for_event("told")
    answer = await ctx.callback()
    if answer["fail"]:
        raise ValueError(f"ended with {FOUND}, token: {EVENT} and {CHILD}")
    return {
        "account": account.model_dump(),
        "found": found,
        "why": why,
        "helped": helped,
        "told": told,
    }


class Scrambled:
    """A payload codec."""

    def encode(self, text: str, context: Mapping[str, str]) -> str:
        row = f"{next(_NUMBERS)}|{context['run_id']}|{text}"
        return base64.b85encode(row.encode()[::-1]).decode()

    def decode(self, text: str, context: Mapping[str, str]) -> str:
        _, run_id, found = base64.b85decode(text)[::-1].decode().split("|", 2)
        if run_id != context["run_id"]:
            raise UnreadablePayloadError("it is another run's")
        return found


ACCOUNT: Final = {
    "user": "ada",
    "phrase": TYPED,
    "password": NAMED,
    "settings": {"headers": [f"Authorization: Bearer {NESTED}"], "api-key": NESTED, "n": 5},
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Give what the process writes to standard output, as a function does."""
    stream = io.StringIO()
    root, engine = logging.getLogger(), logging.getLogger("everstep")
    before = [(each, each.handlers, each.level, each.propagate) for each in (root, engine)]
    monkeypatch.setattr(logging.Logger, "callHandlers", logging.Logger.callHandlers)
    logs.configure("DEBUG", stream)
    capture.install(LogLimits(level="DEBUG"), as_json=True)
    yield stream
    work_on(None)
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def played(world: World, *, fails: bool) -> str:
    """Play a run with every secret in it; return its id."""
    run_id = world.started("leaking", ACCOUNT)
    world.work()
    for _ in range(4):
        world.advance(2)
    event = json.dumps({"token": EVENT, "n": 1})
    assert world.call("POST", f"/runs/{run_id}/events/told", event).status == 202
    world.work()
    answer = json.dumps({"fail": fails, "secret": ANSWER})
    path = (
        f"/callbacks/{make_token(run_id, 'callback#1', world.store._heads[run_id].secret)}/complete"
    )
    assert world.call("POST", path, answer).status == 202
    world.work()
    return run_id


def answers(world: World, run_id: str) -> Iterator[str]:
    """Yield what every question about a run is answered."""
    child = next(each.run_id for each in world.engine.lists.every() if each.workflow == "helping")
    for each in (run_id, child):
        yield world.get(f"/runs/{each}?include=steps,audit,events,logs").text
        yield world.get(f"/runs/{each}/result").text
        yield world.get(f"/runs/{each}/result?form=recorded").text
        yield world.get(f"/runs/{each}/history").text
        yield world.get(f"/runs/{each}/events").text
        yield world.get(f"/runs/{each}/audit").text
        yield world.get(f"/runs/{each}/logs?limit=100").text
    yield world.get("/runs").text
    cancel = json.dumps({"reason": f"password={NAMED}"})
    yield world.call("POST", f"/runs/{run_id}/cancel", cancel).text
    yield world.call("POST", f"/runs/{run_id}/retry").text
    yield world.call("POST", f"/runs/{run_id}/fork", json.dumps({"from_step": "refuse#1"})).text
    paused = world.started("helping", "nothing")
    why = json.dumps({"reason": f"the token is token={NESTED}"})
    yield world.call("POST", f"/runs/{paused}/pause", why).text
    yield world.get(f"/runs/{paused}?include=audit").text
    yield world.get(f"/runs/{paused}/audit").text
    wrong = {**ACCOUNT, "user": 5, "extra": EVENT}
    yield world.start("leaking", wrong).text


def typed(world: World, run_id: str) -> Iterator[str]:
    """Yield what the command line prints of a run."""
    for make in TRANSPORTS.values():
        operated = Operated(world=world, client=make)
        for arguments in (
            ("runs", "inspect", run_id),
            ("runs", "inspect", run_id, "--json"),
            ("runs", "list", "--json"),
            ("runs", "logs", run_id),
        ):
            seen = operated.typed(*arguments)
            yield seen.out + seen.err


def search(text: str) -> list[str]:
    """Return the secrets of which most stands in a text, in clear or in base64."""
    encoded = {each: base64.b64encode(each.encode()).decode()[:12] for each in SECRETS}
    return [each for each in SECRETS if each[:9] in text or encoded[each] in text]


@pytest.mark.parametrize("fails", [False, True], ids=["completes", "fails"])
@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_no_secret_leaves_the_process(
    told: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, sealed: bool, fails: bool
) -> None:
    world = World(workflows=(leaking, helping))
    world.engine = replace(world.engine, limits=replace(world.engine.limits, payload=65_536))
    if sealed:
        world.engine = replace(world.engine, codec=Scrambled())
    sent: list[str] = []
    pass_on = world.queue.send_body

    def overhear(body: str, delay: int = 0) -> None:
        sent.append(body)
        pass_on(body, delay)

    monkeypatch.setattr(world.queue, "send_body", overhear)
    run_id = played(world, fails=fails)
    status = world.get(f"/runs/{run_id}/result").body["status"]
    assert status == ("FAILED" if fails else "COMPLETED")

    for text in answers(world, run_id):
        assert search(text) == [], text
    for text in typed(world, run_id):
        assert search(text) == [], text
    assert sent
    assert search("".join(sent)) == []
    put_aside(world.engine, "1", f'{{"password":"{NAMED}"}}', f"token={NESTED}")
    assert search(repr(world.store._dead_letters)) == []
    assert "ada" in told.getvalue()
    assert search(told.getvalue()) == []
    stored = repr(vars(world.store)) + repr(vars(world.engine.blobs))
    lines = [each.logs for each in world.store._records[run_id].values() if each.logs.chunks]
    assert lines
    assert search(repr(lines)) == []
    # In clear they are all there: the search would have found them.
    assert search(stored) == ([] if sealed else list(SECRETS))
