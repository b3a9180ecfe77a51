"""``Client``: what programs hold to start runs and to find them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from everstep.authoring.workflows import Workflow
from everstep.client.answers import RunSummary, WorkflowInfo
from everstep.client.encoding import data_of, input_of
from everstep.client.options import start_headers, start_query
from everstep.client.run import Connection, Run, new_key
from everstep.client.transport import Call, path
from everstep.client.waiting import Waiting
from everstep.core.durations import SECOND, instant, to_iso, to_millis
from everstep.core.model import RunStatus
from everstep.http.api import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta
    from typing import Self

    from typing_extensions import Unpack

    from everstep.client.keys import KeyRing
    from everstep.client.options import StartOptions
    from everstep.client.transport import Transport

In = TypeVar("In")
Out = TypeVar("Out")
_PAGE: Final = 100
_TIMEOUT: Final = 30.0


class Client:
    """Starts runs, finds them, and completes what they wait for.

    One client may be used by several threads, and keeps its connections: make one, and keep it.

    Every method raises ``UnavailableError`` when nothing is known after several attempts (the
    same call again is harmless), and ``AdapterError`` when the deployment failed or refused who
    asks. What else a method raises stands there.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        actor: str | None = None,
        timeout: float | timedelta = _TIMEOUT,
        session: Any = None,  # noqa: ANN401 - boto3 has no types of its own
    ) -> None:
        """Prepare a client of a deployment's API; nothing is sent yet.

        Args:
            url: The stack's ``ApiUrl``.
            api_key: Goes with every call as ``Authorization: Bearer …``.
            actor: Who asks, for the audit; goes with every call as ``Everstep-Actor``.
            timeout: Longest time to wait for an answer: seconds or ``timedelta``.
            session: A ``boto3.Session`` whose credentials sign every call, for an API that
                wants that (``ApiAuthorization`` is ``IAM``).

        Raises:
            MissingExtraError: ``everstep[client]`` is not installed.
            InvalidRequestError: The url is none of HTTP.
        """
        from everstep.client.over_http import HttpTransport

        seconds = to_millis(timeout, "timeout") / SECOND
        headers = said_by(actor, api_key)
        transport = HttpTransport(url, headers, timeout=seconds, auth=_signed(session))
        self._connection = Connection(transport=transport, waiting=Waiting())

    @classmethod
    def over(cls, transport: Transport, *, waiting: Waiting | None = None) -> Self:
        """Return a client that uses a transport of one's own."""
        made = cls.__new__(cls)
        connection = Connection(transport=transport, waiting=waiting or Waiting())
        made._connection = connection  # noqa: SLF001 - of this class
        return made

    @classmethod
    def from_env(cls, *, actor: str | None = None) -> Self:
        """Return the client that the environment describes.

        ``EVERSTEP_URL`` with ``EVERSTEP_API_KEY`` is a client over HTTP; without it
        ``EVERSTEP_STACK`` names a stack to be used directly.

        Raises:
            SettingsError: Neither is set.
        """
        from everstep.settings import SettingsError

        url, stack = os.environ.get("EVERSTEP_URL"), os.environ.get("EVERSTEP_STACK")
        if url:
            return cls(url, api_key=os.environ.get("EVERSTEP_API_KEY"), actor=actor)
        if stack:
            return cls.on_aws(stack=stack, actor=actor)
        raise SettingsError(
            "set EVERSTEP_URL, for a deployment's API, or EVERSTEP_STACK, to use one directly"
        )

    @classmethod
    def on_aws(  # noqa: PLR0913 - each by name
        cls,
        *,
        stack: str | None = None,
        table: str | None = None,
        queue: str | None = None,
        bucket: str | None = None,
        workflows: Iterable[Workflow[Any, Any]] | str | None = None,
        session: Any = None,  # noqa: ANN401 - boto3 has no types of its own
        endpoint_url: str | None = None,
        actor: str | None = None,
    ) -> Self:
        """Return a client that uses table, queue and bucket itself, without the API.

        What the API would check is checked here, so the workflows must be here, too.

        Args:
            stack: The name of the stack; it says what else is not given.
            table: The table's name.
            queue: The step queue's name or URL.
            bucket: The bucket's name.
            workflows: The workflows, or the packages that define them, separated by commas;
                those of the stack if not given, which must be importable.
            session: A ``boto3.Session``; a new one, of the environment, if not given.
            endpoint_url: The address of every service, for example LocalStack's.
            actor: Who asks, for the audit.

        Raises:
            InvalidRequestError: Something is not said.
            AdapterError: There is no such stack or queue, or AWS refused.
        """
        from everstep.client.direct import DirectTransport
        from everstep.client.on_aws import Place, engine_on_aws

        place = Place(stack=stack, table=table, queue=queue, bucket=bucket)
        engine = engine_on_aws(place, workflows, session, endpoint_url)
        waiting = Waiting()
        transport = DirectTransport(lambda: engine, said_by(actor), waiting.sleep)
        return cls.over(transport, waiting=waiting)

    # --- Runs

    @overload
    def start(
        self,
        workflow: Workflow[None, Out],
        input: None = None,
        **options: Unpack[StartOptions],
    ) -> Run[Out]: ...
    @overload
    def start(
        self,
        workflow: Workflow[In, Out],
        input: In,
        **options: Unpack[StartOptions],
    ) -> Run[Out]: ...
    @overload
    def start(
        self,
        workflow: str,
        input: object = None,
        **options: Unpack[StartOptions],
    ) -> Run[Any]: ...
    def start(
        self,
        workflow: Workflow[Any, Any] | str,
        input: object = None,  # noqa: A002 - the name in workflows
        **options: Unpack[StartOptions],
    ) -> Run[Any]:
        """Start a run; once this returns the run is not lost.

        Args:
            workflow: A workflow, which starts on its own version and types the handle; or a
                name, which starts on the highest version that is deployed.
            input: Its input: a model, a dataclass, or anything that JSON can say.
            options: See ``StartOptions``; ``idempotency_key`` is drawn if not given.

        Raises:
            UnknownWorkflowError: No such workflow or version is deployed.
            InvalidInputError: The input does not fit; ``errors`` says where.
            PayloadTooLargeError: The input is over the limit.
            InvalidOptionError: An option makes no sense.
            IdempotencyConflictError: The key was used before with another input.
            ReferenceConflictError: A run that has not ended has the reference id.
        """
        known = workflow if isinstance(workflow, Workflow) else None
        name = workflow if isinstance(workflow, str) else workflow.name
        if known is not None:
            options.setdefault("version", known.version)
        call = Call(
            method="POST",
            path=path("triggers", name),
            query=start_query(options),
            headers=start_headers(options, new_key()),
            body=data_of(input) if known is None else input_of(known, input),
        )
        body = self._connection.send(call).body
        accepted = RunStatus(body["status"])
        return Run(self._connection, str(body["run_id"]), known, accepted=accepted)

    @overload
    def get(self, run_id: str) -> Run[Any]: ...
    @overload
    def get(self, run_id: str, workflow: Workflow[Any, Out]) -> Run[Out]: ...
    def get(self, run_id: str, workflow: Workflow[Any, Any] | None = None) -> Run[Any]:
        """Return the handle of a run.

        Args:
            run_id: The run.
            workflow: Its workflow, which types the handle.

        Raises:
            RunNotFoundError: There is no such run.
        """
        run = self.handle(run_id, workflow)
        run.status()
        return run

    @overload
    def handle(self, run_id: str) -> Run[Any]: ...
    @overload
    def handle(self, run_id: str, workflow: Workflow[Any, Out]) -> Run[Out]: ...
    @overload
    def handle(self, run_id: str, workflow: Workflow[Any, Any] | None) -> Run[Any]: ...
    def handle(self, run_id: str, workflow: Workflow[Any, Any] | None = None) -> Run[Any]:
        """Return the handle of a run that is known to be there; nothing is asked.

        Args:
            run_id: The run.
            workflow: Its workflow, which types the handle.
        """
        return Run(self._connection, run_id, workflow)

    def runs(
        self,
        *,
        workflow: str | None = None,
        status: RunStatus | str | None = None,
        tag: Mapping[str, str] | None = None,
        reference_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[RunSummary]:
        """Yield runs, newest first, asking for more as they are taken.

        A run that was just started may show a moment later.

        Args:
            workflow: Only runs of this workflow; of every deployed workflow if not given.
            status: Only runs with this status.
            tag: Only runs with all of these tags.
            reference_id: Only the run with this reference id, or that had it last.
            since: Only runs that were started then or later.
            until: Only runs that were started before.

        Raises:
            InvalidRequestError: One of these makes no sense.
        """
        query = [
            *_given("workflow", workflow),
            *_given("status", status),
            *(("tag", f"{name}:{value}") for name, value in (tag or {}).items()),
            *_given("reference_id", reference_id),
            *_moment("since", since),
            *_moment("until", until),
            ("limit", str(_PAGE)),
        ]
        for body in self._connection.pages("/runs", query):
            yield from map(RunSummary.model_validate, body["runs"])

    def workflows(self) -> tuple[WorkflowInfo, ...]:
        """Return what is deployed, by name."""
        pages = self._connection.pages("/workflows")
        shown = (each for body in pages for each in body["workflows"])
        return tuple(map(WorkflowInfo.model_validate, shown))

    def health(self) -> Mapping[str, Any]:
        """Return what the deployment says of itself, once it has reached its table."""
        return self._connection.get("health", deep="1")

    # --- Callbacks

    def complete_callback(self, token: str, value: object = None) -> None:
        """Give the result of what a run waits for.

        Args:
            token: What the run handed out.
            value: The result: a model, a dataclass, or anything that JSON can say.
        """
        self._callback(token, "complete", data_of(value))

    def fail_callback(self, token: str, error: Mapping[str, str]) -> None:
        """Say that what a run waits for has failed.

        Args:
            token: What the run handed out.
            error: Its ``type`` and ``message``.
        """
        self._callback(token, "fail", dict(error))

    def heartbeat_callback(self, token: str) -> None:
        """Say that what a run waits for is still worked on."""
        self._callback(token, "heartbeat", None)

    def _callback(self, token: str, verb: str, body: object) -> None:
        call = Call(method="POST", path=path("callbacks", token, verb), body=body)
        self._connection.send(call)

    # --- Keys

    @property
    def keys(self) -> KeyRing:
        """Return the API keys of the deployment, for a client whose own key has the scope admin.

        Whoever uses the stack directly makes them with ``everstep keys``.
        """
        from everstep.client.keys import KeysOverHttp

        return KeysOverHttp(self._connection.transport)

    # --- Itself

    def close(self) -> None:
        """Close the connections."""
        self._connection.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def said_by(actor: str | None, api_key: str | None = None) -> dict[str, str]:
    """Return the headers of every call: who asks, and the key that lets them."""
    said = {"User-Agent": f"everstep-python/{VERSION}"}
    said |= {} if actor is None else {"Everstep-Actor": actor}
    return said if api_key is None else said | {"Authorization": f"Bearer {api_key}"}


def _signed(session: Any) -> Any:  # noqa: ANN401 - neither of them is there without the extra
    if session is None:
        return None
    from everstep.client.signing import SignedByAws

    return SignedByAws(session)


def _given(name: str, value: str | None) -> list[tuple[str, str]]:
    return [] if value is None else [(name, str(value))]


def _moment(name: str, when: datetime | None) -> list[tuple[str, str]]:
    return [] if when is None else [(name, to_iso(instant(when, name)))]
