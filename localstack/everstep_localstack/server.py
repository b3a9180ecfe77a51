"""Start, watch and stop one LocalStack instance, and leave nothing behind."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final, Self

from everstep_localstack import dynamodb_local, launch, ports, processes
from everstep_localstack.errors import (
    AlreadyRunningError,
    MissingError,
    NotRunningError,
    PortTakenError,
    StartError,
)
from everstep_localstack.instance import DynamoDb, Folders, Options, Record
from everstep_localstack.plugin.settings import INSTANCE_VARIABLE
from everstep_localstack.stacks import CREDENTIALS, REGION, Deployment, StackDeployer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from boto3 import Session

READY_SECONDS: Final = 60.0
# Nothing is saved at the end, so there is little to wait for.
GRACE_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.1
LOG_TAIL_LINES: Final = 30


class LocalStack:
    """One instance of LocalStack, which runs in the background.

    Used as a context manager it is started, ready, on entry, and stopped on exit.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.folders = Folders.of(self.options.instance)

    @property
    def endpoint_url(self) -> str:
        """Return the address of every service of the instance."""
        record = self._running()
        return f"http://127.0.0.1:{record.port if record else self.options.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables with which any AWS client talks to this instance."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": CREDENTIALS,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def start(self) -> None:
        """Start the instance in the background; do nothing if it runs with the same options.

        What is left of an earlier run of this instance, even of a killed one, is ended first.
        Returns as soon as the process exists: call `wait` before using it.

        Raises:
            MissingError: Something is not installed.
            PortTakenError: Another program listens on the port.
            AlreadyRunningError: The instance runs with other options.
        """
        record = self._running()
        if record is not None:
            self._require_same(record)
            return
        self._require_installed()
        self.clean_up()
        if not ports.is_free(self.options.port):
            raise PortTakenError(self.options.port, ports.holder(self.options.port))
        self._empty_folders()
        self._launch()

    def wait(self, seconds: float = READY_SECONDS) -> None:
        """Wait until the instance answers.

        Raises:
            NotRunningError: It was not started.
            StartError: It ended, did not answer in time, or can be reached from elsewhere; with the
                end of its log.
        """
        if self._running() is None and not self.folders.record.exists():
            raise NotRunningError(self.options.instance)
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if self._running() is None:
                raise StartError(f"LocalStack ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"LocalStack is not ready after {seconds} s:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)
        self._require_private()

    def is_ready(self) -> bool:
        """Say whether the instance runs and answers."""
        record = self._running()
        return record is not None and _answers(record.port)

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> bool:
        """Stop the instance and every process it started; return False if it did not run."""
        record = self._running()
        if record is not None:
            processes.terminate(record.pid, record.started, grace_seconds)
        self.clean_up()
        self.folders.record.unlink(missing_ok=True)
        return record is not None

    def clean_up(self) -> list[int]:
        """End what is left of an earlier run, and return the process ids.

        Every process of an instance carries the instance's mark in its environment, so this finds
        them without any list, whatever became of LocalStack itself.
        """
        found: list[int] = []
        # Again, since a process may start another one while it is looked for.
        while left := processes.marked(INSTANCE_VARIABLE, str(self.folders.root)):
            found += left
            processes.kill(left)
            time.sleep(processes.POLL_SECONDS)
        last = Record.load(self.folders.record)
        if last is not None:
            processes.wait_gone(last.pid, last.started, GRACE_SECONDS)
        return sorted(set(found))

    def status(self) -> Record | None:
        """Return what runs, or None."""
        return self._running()

    def process_ids(self) -> list[int]:
        """Return the processes of the instance: LocalStack, and one per execution environment."""
        return sorted(processes.marked(INSTANCE_VARIABLE, str(self.folders.root)))

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """Return the end of LocalStack's own log."""
        try:
            text = self.folders.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def session(self) -> Session:
        """Return a boto3 session for this instance.

        Raises:
            NotRunningError: It does not run.
        """
        if self._running() is None:
            raise NotRunningError(self.options.instance)
        # Loaded late: start, stop and status work without boto3, and at once.
        import boto3  # noqa: PLC0415

        return boto3.Session(
            aws_access_key_id=CREDENTIALS, aws_secret_access_key=CREDENTIALS, region_name=REGION
        )

    def stacks(self, say: Callable[[str], None] = lambda _: None) -> StackDeployer:
        """Return what deploys to this instance, and tells `say` what it does.

        Raises:
            NotRunningError: It does not run.
        """
        if self._running() is None:
            raise NotRunningError(self.options.instance)
        return StackDeployer.at(self.endpoint_url, say)

    def deploy(
        self,
        template: Path,
        stack: str,
        *,
        parameters: Mapping[str, str] | None = None,
        artifacts: Mapping[str, Path] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> dict[str, str]:
        """Deploy a template and return the stack's outputs; see `StackDeployer.deploy`."""
        deployment = Deployment(
            template=template, stack=stack, parameters=parameters or {}, artifacts=artifacts or {}
        )
        return self.stacks(say).deploy(deployment)

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a deployed stack."""
        return self.stacks().outputs(stack)

    def teardown(self, stack: str) -> None:
        """Delete a stack; do nothing if there is none."""
        self.stacks().teardown(stack)

    def function_log(self, function: str) -> list[str]:
        """Return the lines a function has in CloudWatch Logs, in the order of time."""
        logs = self.session().client("logs", endpoint_url=self.endpoint_url)
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}"
        )
        try:
            return [event["message"].rstrip() for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _running(self) -> Record | None:
        record = Record.load(self.folders.record)
        if record is None or not processes.is_running(record.pid, record.started):
            return None
        return record

    def _require_private(self) -> None:
        # LocalStack runs whatever code it is sent, and opens its port to everybody; the plugin
        # prevents that. If the plugin was not loaded, this must not go unnoticed.
        record = self._running()
        if record is not None and not ports.is_private(record.port):
            self.stop()
            raise StartError(
                f"LocalStack listened on other addresses than 127.0.0.1, and was stopped: is the"
                f" plugin installed in {self.options.localstack_python}? Run `make venv-localstack`"
            )

    def _require_same(self, record: Record) -> None:
        if record.description != self.options.describe():
            raise AlreadyRunningError(
                f"LocalStack instance {self.options.instance!r} already runs with other options"
                f" ({record.description}; asked for: {self.options.describe()}): stop it first with"
                f" `python -m everstep_localstack stop --instance {self.options.instance}`"
            )

    def _require_installed(self) -> None:
        needed = {
            "venv-localstack": self.options.localstack_python,
            "venv-functions": self.options.python,
        }
        for target, interpreter in needed.items():
            if not os.access(interpreter, os.X_OK):
                raise MissingError(f"there is no {interpreter}: run `make {target}` first")
        if self.options.dynamodb is DynamoDb.LOCAL:
            dynamodb_local.install()

    def _empty_folders(self) -> None:
        self.folders.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.folders.volume, self.folders.scratch):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    def _launch(self) -> None:
        with self.folders.log.open("wb") as log:
            process = subprocess.Popen(
                # -P: a folder named `localstack` in the working folder is not the library.
                [str(self.options.localstack_python), "-P", "-m", "localstack.runtime.main"],
                cwd=self.folders.root,
                env=launch.environment(self.options, self.folders, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = processes.start_time(process.pid)
        Record(
            pid=process.pid,
            started=started or 0,
            port=self.options.port,
            description=self.options.describe(),
        ).save(self.folders.record)
        # It outlives this program on purpose: the record, not this object, says that it runs.
        process.returncode = 0


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_localstack/health")
        response = connection.getresponse()
        return response.status == http.client.OK and "services" in json.loads(response.read())
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
