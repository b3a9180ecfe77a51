"""Wrong uses: mypy --strict rejects every line that is marked, and no other."""

# Of the project's own run, which has nothing to say here; the test takes this line out.
# mypy: ignore-errors

from datetime import timedelta

from everstep import Client, Context, Retry, step, workflow
from everstep.testing import TestEngine


@step
def notify(text: str, *, urgent: bool = False) -> str:
    return f"{text}{urgent}"


@step
async def charge(amount: int) -> int:
    return amount


def plain(text: str) -> int:
    return len(text)


@workflow
async def order(ctx: Context, amount: int) -> str:
    await ctx.step(notify, 5)  # rejected
    await ctx.step(notify)  # rejected
    await ctx.step(notify, "x", "y")  # rejected
    await ctx.step(notify, "x", urgent="yes")  # rejected
    await ctx.step(notify, "x", unknown=1)  # rejected
    await ctx.step(charge, "x")  # rejected
    await ctx.step(plain, 5)  # rejected
    await ctx.step("notify", "x")  # rejected
    number: int = await ctx.step(notify, "x")  # rejected
    text: str = await ctx.step(charge, 1)  # rejected
    other: str = ctx.step(notify, "x")  # rejected
    await ctx.sleep("1")  # rejected
    await ctx.sleep_until(timedelta(days=1))  # rejected
    return f"{amount}{number}{text}{other}"


@workflow  # rejected
def no_coroutine(ctx: Context) -> None: ...


@workflow  # rejected
async def three_parameters(ctx: Context, a: int, b: int) -> None: ...


@workflow(version=1)  # rejected
async def numbered(ctx: Context) -> None: ...


@step(timeout="1")  # rejected
def patient() -> None: ...


@step(retries=3)  # rejected
def eager() -> None: ...


def use() -> None:
    Retry(max_attempts="3")  # rejected
    Retry(retry_on=ValueError)  # rejected
    Retry(3)  # rejected
    notify("x")  # rejected
    engine = TestEngine([order])
    engine.start(order, "5")  # rejected
    engine.start(plain, 5)  # rejected
    wrong: int | None = engine.start(order, 5).result  # rejected
    assert wrong


def call(client: Client) -> None:
    client.start(order, "5")  # rejected
    client.start(order)  # rejected
    client.start(plain, 5)  # rejected
    client.start(order, 5, delay="1")  # rejected
    client.start(order, 5, colour="red")  # rejected
    text: int = client.start(order, 5).result()  # rejected
    client.get("run", plain)  # rejected
    client.handle("run", order).result(5, 6)  # rejected
    client.handle("run").send_event(5)  # rejected
    client.runs(since="yesterday")  # rejected
    client.fail_callback("token", "message")  # rejected
    Client("http://localhost", "key")  # rejected
    assert text
