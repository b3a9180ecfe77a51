"""The functions of known libraries that workflow code may not call, and what to do instead.

Names as the resolver makes them. ``requests.get`` stands for itself and for the methods of what it
returns; ``threading.*`` for everything in the module. What is not listed here is never reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.catalogue_outside import (
    CLIENTS,
    FILE_FUNCTIONS,
    OS_FUNCTIONS,
    OS_PATH_FUNCTIONS,
    PATH_METHODS,
    PROCESSES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Why a function is a mistake in workflow code.

    Attributes:
        code: The rule that it breaks.
        does: What it does, to follow its name in a sentence.
        mend: What to write instead.
        harmless_with: With so many arguments it is no mistake; None if it always is one.
    """

    code: str
    does: str
    mend: str
    harmless_with: int | None = None


_STEP: Final = "put it into a step: await ctx.step(…)"

CLOCK: Final = Hazard(
    code=rules.CLOCK,
    does="reads the clock, which has moved on in every replay",
    mend="use ctx.now()",
)
RANDOM: Final = Hazard(
    code=rules.RANDOM, does="gives something else in every replay", mend="use ctx.random()"
)
_TOKEN: Final = Hazard(
    code=rules.RANDOM,
    does="gives something else in every replay",
    mend=f"use ctx.random(), or if it is a secret {_STEP}",
)
_NEW_ID: Final = Hazard(
    code=rules.NEW_ID, does="makes another id in every replay", mend="use ctx.uuid()"
)
_ID: Final = Hazard(
    code=rules.IDENTITY,
    does="is an address in this process, another one in every replay",
    mend="compare with `is`, or use a field that identifies the value",
)
_HASH: Final = Hazard(
    code=rules.IDENTITY,
    does="differs from process to process",
    mend="use hashlib, or the value itself",
)
_OUTSIDE: Final = Hazard(
    code=rules.OUTSIDE, does="reaches outside, again in every replay", mend=_STEP
)
_ENVIRONMENT: Final = Hazard(
    code=rules.ENVIRONMENT,
    does="may say something else in the next replay, which runs elsewhere",
    mend="take it as input of the workflow, or read it in a step",
)
_OUTPUT: Final = Hazard(
    code=rules.OUTPUT, does="speaks again in every replay", mend="use ctx.logger"
)
_SLEEP: Final = Hazard(
    code=rules.WAITING, does="is not durable and holds compute", mend="use await ctx.sleep(…)"
)
_NO_LOOP: Final = "needs an event loop, and workflow code has none"
_DEADLINE: Final = Hazard(
    code=rules.WAITING,
    does=_NO_LOOP,
    mend="use await ctx.wait_for(…), or give the step a time-out: @step(timeout=…)",
)
_BRANCHES: Final = Hazard(
    code=rules.WAITING, does=_NO_LOOP, mend="use await ctx.gather(…), ctx.race(…) or ctx.map(…)"
)
_LIMIT: Final = Hazard(
    code=rules.WAITING, does=_NO_LOOP, mend="use await ctx.map(…, max_concurrency=…)"
)
_SIGNAL: Final = Hazard(code=rules.WAITING, does=_NO_LOOP, mend="use await ctx.wait_for_event(…)")
_TASK: Final = Hazard(code=rules.WAITING, does=_NO_LOOP, mend="await operations of ctx alone")
_THREAD: Final = Hazard(
    code=rules.WAITING, does="runs code that a replay cannot follow", mend=_STEP
)

# Exactly these.
_EXACT: Final = {
    CLOCK: """
        time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter
        time.perf_counter_ns time.process_time time.process_time_ns time.thread_time
        time.thread_time_ns time.clock_gettime time.clock_gettime_ns
        datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today
        pandas.Timestamp.now pandas.Timestamp.utcnow pandas.Timestamp.today
        pendulum.now pendulum.today pendulum.tomorrow pendulum.yesterday
        pendulum.DateTime.now pendulum.DateTime.utcnow pendulum.DateTime.today
        arrow.now arrow.utcnow arrow.Arrow.now arrow.Arrow.utcnow
        django.utils.timezone.now django.utils.timezone.localdate
        whenever.Instant.now whenever.ZonedDateTime.now
    """,
    RANDOM: "os.urandom os.getrandom ssl.RAND_bytes",
    _NEW_ID: """
        uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.getnode ulid.new ulid.from_timestamp
        ulid.ULID.from_timestamp ulid.ULID.from_datetime uuid6.uuid6 uuid6.uuid7 uuid6.uuid8
        uuid_utils.uuid1 uuid_utils.uuid4 uuid_utils.uuid6 uuid_utils.uuid7
        shortuuid.uuid shortuuid.random nanoid.generate cuid.cuid cuid2.cuid_wrapper ksuid.ksuid
        ksuid.Ksuid
    """,
    _ID: "builtins.id",
    _HASH: "builtins.hash",
    _OUTSIDE: FILE_FUNCTIONS + PATH_METHODS,
    _ENVIRONMENT: """
        os.getenv os.getenvb os.getpid os.getppid os.getcwd os.getcwdb os.getlogin os.getuid
        os.uname os.cpu_count os.getloadavg os.get_terminal_size os.path.expanduser
        os.path.expandvars pathlib.Path.cwd pathlib.Path.home pathlib.Path().expanduser
        socket.gethostname socket.getfqdn getpass.getuser locale.getlocale
    """,
    _OUTPUT: """
        builtins.print pprint.pprint pprint.pp sys.stdout.write sys.stderr.write
    """,
    _SLEEP: "time.sleep asyncio.sleep anyio.sleep anyio.sleep_until trio.sleep trio.sleep_until",
    _DEADLINE: """
        asyncio.timeout asyncio.timeout_at asyncio.wait_for anyio.fail_after anyio.move_on_after
        trio.fail_after trio.move_on_after async_timeout.timeout
    """,
    _BRANCHES: """
        asyncio.gather asyncio.create_task asyncio.ensure_future asyncio.wait
        asyncio.as_completed
    """,
    _THREAD: """
        asyncio.to_thread asyncio.run anyio.to_thread.run_sync anyio.run trio.to_thread.run_sync
        trio.run asgiref.sync.sync_to_async asgiref.sync.async_to_sync
    """,
}
# These, and the methods of the objects that they give.
_WITH_METHODS: Final = {
    RANDOM: "random.Random numpy.random.default_rng numpy.random.RandomState",
    _BRANCHES: "asyncio.TaskGroup anyio.create_task_group trio.open_nursery",
    _LIMIT: """
        asyncio.Semaphore asyncio.BoundedSemaphore anyio.Semaphore anyio.CapacityLimiter
        trio.Semaphore trio.CapacityLimiter
    """,
    _SIGNAL: """
        asyncio.Event asyncio.Condition asyncio.Future asyncio.Queue anyio.Event anyio.Condition
        trio.Event trio.Condition
    """,
    _OUTSIDE: CLIENTS + PROCESSES + OS_FUNCTIONS + OS_PATH_FUNCTIONS,
}
# Everything in these modules.
_MODULES: Final = {
    RANDOM: "random numpy.random",
    _TOKEN: "secrets",
    _OUTSIDE: "shutil tempfile",
    _ENVIRONMENT: "platform",
    _TASK: "asyncio anyio trio curio gevent eventlet",
    _THREAD: "threading _thread concurrent.futures multiprocessing joblib",
}
# A mistake only with fewer arguments than this.
_UNLESS_GIVEN: Final = {
    "time.localtime": (CLOCK, 1),
    "time.gmtime": (CLOCK, 1),
    "time.ctime": (CLOCK, 1),
    "time.asctime": (CLOCK, 1),
    "time.strftime": (CLOCK, 2),
    "arrow.get": (CLOCK, 1),
    "ulid.ULID": (_NEW_ID, 1),
    "bson.ObjectId": (_NEW_ID, 1),
}
_LOGGERS: Final = (
    "logging",
    "logging.getLogger()",
    "structlog.get_logger()",
    "structlog.getLogger()",
    "loguru.logger",
    "aws_lambda_powertools.Logger()",
)
_LEVELS: Final = "debug info warning warn error exception critical fatal log success trace"
# Members of those modules that say nothing of the outside.
_HARMLESS: Final = (
    "asyncio.iscoroutine",
    "asyncio.iscoroutinefunction",
    "asyncio.isfuture",
    "secrets.compare_digest",
)
# Names of values, not of functions.
VALUES: Final = {
    "os.environ": _ENVIRONMENT,
    "os.environb": _ENVIRONMENT,
    "sys.argv": _ENVIRONMENT,
    "sys.stdin": _OUTSIDE,
}


def _exact() -> Iterator[tuple[str, Hazard]]:
    for table in (_EXACT, _WITH_METHODS):
        for hazard, names in table.items():
            yield from ((name, hazard) for name in names.split())
    for name, (hazard, arguments) in _UNLESS_GIVEN.items():
        yield (
            name,
            Hazard(code=hazard.code, does=hazard.does, mend=hazard.mend, harmless_with=arguments),
        )
    for logger in _LOGGERS:
        yield from ((f"{logger}.{level}", _OUTPUT) for level in _LEVELS.split())


_BY_NAME: Final = dict(_exact())
_BY_MAKER: Final = {
    name: hazard for hazard, names in _WITH_METHODS.items() for name in names.split()
}
_BY_MODULE: Final = {name: hazard for hazard, names in _MODULES.items() for name in names.split()}


def hazard_of(name: str) -> Hazard | None:
    """Return why calling a function, or a method of what it made, is a mistake."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    maker, made, _ = name.partition("().")
    if made and maker in _BY_MAKER:
        return _BY_MAKER[maker]
    return None if _is_harmless(name) else _of_module(name)


def is_listed(name: str) -> bool:
    """Say whether a function itself is in the catalogue, not only its module or its maker."""
    return name in _BY_NAME


def _of_module(name: str) -> Hazard | None:
    parent = name.rpartition(".")[0]
    while parent:
        if parent in _BY_MODULE:
            return _BY_MODULE[parent]
        parent = parent.rpartition(".")[0]
    return None


def _is_harmless(name: str) -> bool:
    # Errors are raised and compared by workflow code as well.
    return name in _HARMLESS or "(seed)" in name or name.endswith(("Error", "Exception"))
