"""What workflow code may not call: clocks, chance, files, the network, threads, output."""

from __future__ import annotations

import pytest

from tests.unit.check.marks import assert_body_as_marked, findings

WRONG = {
    "EVS101": (
        ("import time", "time.time()"),
        ("import time", "time.monotonic()"),
        ("import time as clock", "clock.perf_counter_ns()"),
        ("import time", "time.localtime()"),
        ("import time", "time.strftime('%H')"),
        ("from time import time", "time()"),
        ("from datetime import datetime, UTC", "datetime.now(tz=UTC)"),
        ("import datetime", "datetime.datetime.utcnow().isoformat()"),
        ("import datetime as dt", "dt.datetime.today()"),
        ("from datetime import date", "date.today()"),
        ("import pandas as pd", "pd.Timestamp.now()"),
        ("import pendulum", "pendulum.now('UTC')"),
        ("import arrow", "arrow.utcnow()"),
        ("import arrow", "arrow.get()"),
        ("from django.utils import timezone", "timezone.now()"),
        ("from datetime import datetime\nnow = datetime.now", "now()"),
    ),
    "EVS102": (
        ("import random", "random.random()"),
        ("from random import choice as pick", "pick([1, 2])"),
        ("import random", "random.Random()"),
        ("import random", "random.Random(None).random()"),
        ("import random", "random.SystemRandom().random()"),
        ("import random\nRNG = random.Random()", "RNG.random()"),
        ("import random\nRNG = random.Random(42)", "RNG.random()"),
        ("import secrets", "secrets.token_hex(8)"),
        ("import os", "os.urandom(8)"),
        ("import numpy as np", "np.random.rand(3)"),
        ("import numpy as np", "np.random.default_rng().normal()"),
        ("import numpy.random", "numpy.random.randint(3)"),
    ),
    "EVS103": (
        ("import uuid", "uuid.uuid4()"),
        ("from uuid import uuid1", "str(uuid1())"),
        ("import uuid", "uuid.uuid4().hex"),
        ("import ulid", "ulid.new()"),
        ("from ulid import ULID", "ULID()"),
        ("from bson import ObjectId", "ObjectId()"),
        ("from nanoid import generate", "generate(size=8)"),
    ),
    "EVS104": (
        ("", "hash(order)"),
        ("", "id(order)"),
        ("", "sorted([order], key=lambda each: hash(each))"),
    ),
    "EVS201": (
        ("", "open('a.txt').read()"),
        ("", "input('Sure?')"),
        ("import requests", "requests.get(order).json()"),
        ("import httpx", "httpx.post(order)"),
        ("import requests\nhttp = requests.Session()", "http.get(order)"),
        ("import urllib.request", "urllib.request.urlopen(order)"),
        ("from http.client import HTTPSConnection", "HTTPSConnection('example.com')"),
        ("import boto3\ns3 = boto3.client('s3')", "s3.put_object(Bucket='a', Key='b')"),
        ("import boto3", "boto3.resource('dynamodb').Table('runs').scan()"),
        ("import socket", "socket.create_connection(('localhost', 1))"),
        ("import subprocess", "subprocess.run(['ls'], check=True)"),
        ("import os", "os.system('ls')"),
        ("import os", "os.remove(order)"),
        ("import os", "sorted(os.listdir('.'))"),
        ("import os.path", "os.path.exists(order)"),
        ("import glob", "glob.glob('*')"),
        ("from pathlib import Path", "Path(order).read_text()"),
        ("from pathlib import Path", "(Path('a') / order).with_suffix('.txt').unlink()"),
        ("from pathlib import Path\nHERE = Path(__file__).parent", "(HERE / 'a').exists()"),
        ("import shutil", "shutil.copy('a', 'b')"),
        ("import tempfile", "tempfile.mkdtemp()"),
        ("import sqlite3", "sqlite3.connect('a').execute('select 1')"),
        ("import psycopg", "psycopg.connect(order)"),
        ("import sqlalchemy as sa\nengine = sa.create_engine('sqlite://')", "engine.connect()"),
        ("import redis\ncache = redis.Redis()", "cache.get(order)"),
        ("import smtplib", "smtplib.SMTP('localhost')"),
        ("import sys", "sys.stdin.read()"),
    ),
    "EVS202": (
        ("import os", "os.environ['HOME']"),
        ("from os import environ", "environ.get('HOME')"),
        ("import os", "os.getenv('HOME')"),
        ("import os\nENV = os.environ", "ENV['HOME']"),
        ("import os", "os.environ['HOME'] = order"),
        ("import os", "del os.environ['HOME']"),
        ("import sys", "sys.argv[1]"),
        ("import platform", "platform.node()"),
        ("import socket", "socket.gethostname()"),
        ("from pathlib import Path", "Path.cwd()"),
    ),
    "EVS203": (
        ("", "print(order)"),
        ("import logging", "logging.info('order %s', order)"),
        ("import logging\nlogger = logging.getLogger(__name__)", "logger.warning('slow')"),
        ("import logging", "logging.getLogger('a').error('no')"),
        ("import structlog\nlog = structlog.get_logger()", "log.info('order')"),
        ("from loguru import logger", "logger.debug('order')"),
        ("import sys", "sys.stdout.write('order')"),
    ),
    "EVS301": (
        ("import time", "time.sleep(1)"),
        ("import asyncio", "await asyncio.sleep(1)"),
        ("from asyncio import sleep as pause", "await pause(1)"),
        ("import asyncio", "await asyncio.gather(ctx.step(charge, 1), ctx.step(charge, 2))"),
        ("import asyncio", "asyncio.create_task(ctx.step(charge, 1))"),
        ("import asyncio", "await asyncio.wait_for(ctx.step(charge, 1), 5)"),
        ("import asyncio", "await asyncio.to_thread(len, order)"),
        ("import asyncio", "asyncio.Queue[int]()"),
        ("import asyncio\nlock = asyncio.Lock()", "await lock.acquire()"),
        ("import anyio", "await anyio.sleep(1)"),
        ("import trio", "await trio.sleep(1)"),
        ("import threading", "threading.Thread(target=len).start()"),
        ("from concurrent.futures import ThreadPoolExecutor", "ThreadPoolExecutor()"),
        ("import concurrent.futures as cf\npool = cf.ThreadPoolExecutor()", "pool.submit(len)"),
        ("import multiprocessing", "multiprocessing.Process(target=len)"),
    ),
    "EVS303": (
        ("", "charge(order)"),
        ("", "charge.fn(order)"),
        ("", "charge.with_options(timeout=1)(order)"),
        ("again = step(name='again')(lambda order: order)", "again(order)"),
        ("def _send(order): ...\nsend = step(_send)", "send.fn(order)"),
        ("from everstep import Step", "(lambda other: None)(charge.fn(order))"),
    ),
}

RIGHT = {
    "the operations of ctx": (
        "",
        """
        now = ctx.now()
        rng = ctx.random()
        rng.random(), rng.choice([1, 2]), ctx.random().randint(1, 6)
        ctx.uuid().hex
        ctx.logger.info("order %s", order)
        await ctx.sleep(60)
        now.date().isoformat()
        """,
    ),
    "values made of other values": (
        "from datetime import date, datetime, timedelta, UTC\nimport time, uuid, ulid, arrow, bson",
        """
        datetime.fromisoformat(order), datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
        datetime.fromtimestamp(0, tz=UTC), date(2026, 1, 1), date.fromisoformat(order)
        time.strftime("%H", time.gmtime(0)), time.gmtime(0), time.struct_time
        uuid.UUID(order), uuid.uuid5(uuid.NAMESPACE_DNS, order), uuid.uuid3(uuid.NAMESPACE_DNS, "")
        ulid.ULID(b"0123456789abcdef"), arrow.get(order), bson.ObjectId(order)
        """,
    ),
    "numbers from a seed": (
        "import random\nimport numpy as np",
        """
        random.Random(42).random(), random.Random(x=order).random()
        rng = random.Random(order)
        rng.shuffle([1, 2])
        np.random.default_rng(7).normal(), np.random.RandomState(seed=7).rand()
        """,
    ),
    "pure libraries": (
        "import hashlib, json, math, re, os.path, itertools, functools, decimal, secrets, asyncio",
        """
        json.dumps({"a": 1}), re.sub("a", "b", order), math.sqrt(2), decimal.Decimal(1)
        hashlib.sha256(order.encode()).hexdigest(), os.path.join("a", "b"), os.path.basename("a")
        functools.partial(len, order), list(itertools.chain([1], [2])), os.sep
        secrets.compare_digest("a", "b"), asyncio.iscoroutine(order)
        """,
    ),
    "paths that nobody opens": (
        "from pathlib import Path, PurePath",
        """
        path = Path("a") / order
        path.name, path.with_suffix(".txt").parent, str(path), PurePath("a").parts
        (path / "b").as_posix()
        """,
    ),
    "loggers that are only made, and errors of known libraries": (
        "import logging, asyncio, requests, sqlite3",
        """
        logging.getLogger(__name__)
        isinstance(order, asyncio.TimeoutError), requests.exceptions.HTTPError("no")
        sqlite3.IntegrityError("no"), asyncio.TimeoutError(), asyncio.InvalidStateError()
        """,
    ),
    "names that something else has taken": (
        "import time, random, os",
        """
        random = ctx.random()
        random.random()
        for time in [1, 2]:
            time.time()
        with order as os:
            os.system("ls")
        print = ctx.logger.info
        print("order")
        def open(name): return name
        open(order)
        [id(1) for id in [len]]
        hash, (input, *rest) = len, [len, len]
        hash(order), input(order)
        """,
    ),
    "parameters with known names": (
        "import time",
        """
        def pick(time, id, open, *hash, **input):
            return time.time(), id(1), open("a"), hash("b"), input("c")
        pick(order, len, len)
        (lambda time: time.time())(order)
        """,
    ),
    "objects of unknown modules": (
        "from .clients import client, random\nfrom app import time",
        """
        client.get(order), random.random(), time.time(), order.read_text()
        await client.fetch(order)
        unknown_name.open(order), unknown_function(order)[0](order)
        """,
    ),
    "a generator or path that somebody handed in": (
        "import random\nfrom datetime import datetime",
        """
        def draw(rng: random.Random, at: datetime) -> float:
            return rng.random() + at.timestamp()
        draw(ctx.random(), ctx.now())
        """,
    ),
    "functions that are handed on and not called": (
        "import time, asyncio",
        "await ctx.step(time.time), await ctx.step(step(name='pause')(asyncio.sleep), 1)",
    ),
    "names bound in ways that do not agree": (
        """
        import random, time
        if random:
            clock = time
        else:
            clock = random
        try:
            import requests as web
        except ImportError:
            from . import web
        """,
        "clock.time(), web.get(order)",
    ),
}


@pytest.mark.parametrize(
    ("code", "before", "line"),
    [(code, *case) for code, cases in WRONG.items() for case in cases],
    ids=lambda value: str(value).replace("\n", "; "),
)
def test_a_call_that_differs_in_a_replay_is_found_in_its_line(
    code: str, before: str, line: str
) -> None:
    assert_body_as_marked(f"ctx.now()\n{line}  #! {code}\nctx.now()", before)


@pytest.mark.parametrize(("before", "body"), list(RIGHT.values()), ids=list(RIGHT))
def test_what_is_the_same_in_each_replay_is_not_reported(before: str, body: str) -> None:
    assert_body_as_marked(body, before)


@pytest.mark.parametrize(
    ("before", "line"),
    [case for code, cases in WRONG.items() if code != "EVS303" for case in cases],
    ids=lambda value: str(value).replace("\n", "; "),
)
def test_a_step_may_do_all_of_it(before: str, line: str) -> None:
    before = f"{before}\n@step\nasync def work(ctx, order):\n    {line}\n"
    assert_body_as_marked("await ctx.step(work, order)", before)


MENDS = (
    ("import time", "time.time()", "time.time() reads the clock", "use ctx.now()"),
    ("import random", "random.random()", "random.random() gives", "use ctx.random()"),
    ("import uuid", "uuid.uuid4()", "uuid.uuid4() makes", "use ctx.uuid()"),
    ("", "print(1)", "print() speaks", "use ctx.logger"),
    ("import time", "time.sleep(1)", "time.sleep() is not", "use await ctx.sleep(…)"),
    ("import asyncio", "asyncio.timeout(1)", "asyncio.timeout() needs", "@step(timeout=…)"),
    ("", "open('a')", "open() reaches outside", "put it into a step: await ctx.step(…)"),
    ("import os", "os.environ['A']", "os.environ may say", "take it as input"),
    ("", "charge.fn(1)", "charge.fn() is called directly", "write await ctx.step(charge, …)"),
    ("import random\nR = random.Random(1)", "R.random()", "random.Random(…).random()", "ctx."),
)


@pytest.mark.parametrize(("before", "line", "message", "mend"), MENDS)
def test_a_finding_says_what_is_wrong_and_what_to_write(
    before: str, line: str, message: str, mend: str
) -> None:
    (finding,) = findings(line, before)
    assert finding.message.startswith(message)
    assert mend in finding.mend


def test_a_client_is_reported_where_it_is_made_and_not_at_each_use() -> None:
    assert_body_as_marked(
        """
        client = httpx.Client()  #! EVS201
        client.get(order)
        client.get(order).json()
        async with httpx.AsyncClient() as other:  #! EVS201
            await other.get(order)
        env = os.environ  #! EVS202
        env["HOME"]
        """,
        "import httpx, os",
    )


def test_a_client_that_comes_from_elsewhere_is_reported_where_it_is_used() -> None:
    assert_body_as_marked(
        """
        async def load(client: httpx.AsyncClient, other: "httpx.Client | None" = None):
            await client.get(order)  #! EVS201
            other.get(order)  #! EVS201
        """,
        "import httpx",
    )


def test_two_mistakes_in_a_line_are_two_findings() -> None:
    assert_body_as_marked(
        "Path(os.environ['A']).read_text()  #! EVS201 EVS202",
        "import os\nfrom pathlib import Path",
    )
