"""``Run``: the handle of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from everstep.adapters.system import SystemIds
from everstep.client.answers import (
    AuditEntry,
    AuditVerdict,
    Diagnosis,
    ErrorDetails,
    LogPage,
    RunCost,
    RunDetails,
    StepDetails,
)
from everstep.client.encoding import data_of
from everstep.client.errors import RunFailed, RunTimeout
from everstep.client.run_logs import follow, log_query
from everstep.client.transport import Call, path
from everstep.core.codec import dumps
from everstep.core.durations import SECOND, to_millis
from everstep.core.model import RunStatus
from everstep.http.queries import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from typing_extensions import Unpack

    from everstep.authoring.workflows import Workflow
    from everstep.client.answers import LogLine
    from everstep.client.run_logs import LogFilter
    from everstep.client.transport import Answer, Transport
    from everstep.client.waiting import Waiting

Out_co = TypeVar("Out_co", covariant=True)
_DONE: Final = 200
# Between two questions whose answers were not held back until something happened.
_PAUSE: Final = 1.0
_IDS: Final = SystemIds()
# Not given, where None has a meaning of its own.
NOTHING: Final[Any] = object()
_SILENCE: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What handles share with the client that made them."""

    transport: Transport
    waiting: Waiting

    def get(self, *segments: str, **query: str) -> Mapping[str, Any]:
        """Return the body of what is at a path."""
        return self.send(Call(method="GET", path=path(*segments), query=list(query.items()))).body

    def pages(
        self, where: str, query: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a list, asking for more as they are taken."""
        cursor: str | None = None
        while True:
            more = [] if cursor is None else [("cursor", cursor)]
            body = self.send(Call(method="GET", path=where, query=[*query, *more])).body
            yield body
            # An older API shows everything on one page.
            cursor = body.get("cursor")
            if cursor is None:
                return

    def send(self, call: Call) -> Answer:
        """Return the answer to a call."""
        return self.transport.send(call)


class Run(Generic[Out_co]):
    """A run that was started, wherever it goes on by now.

    Nothing is remembered: every method asks. Each raises ``RunNotFoundError`` if there is no such
    run, ``UnavailableError`` if nothing is known, and ``AdapterError`` if the deployment failed.

    Attributes:
        id: The run's id.
        accepted: Its status when it was started by this handle's client; None for a handle that
            was not made by a start.
    """

    def __init__(
        self,
        connection: Connection,
        run_id: str,
        workflow: Workflow[Any, Out_co] | None = None,
        *,
        accepted: RunStatus | None = None,
    ) -> None:
        """Bind the handle to a run; its result is read as the workflow's, if that is known."""
        self.id = run_id
        self.accepted = accepted
        self._connection = connection
        self._workflow = workflow

    def status(self) -> RunStatus:
        """Return the status."""
        body = self._connection.get("runs", self.id, "result")
        return RunStatus(body["status"])

    def get(self) -> RunDetails:
        """Return the run with its steps."""
        return RunDetails.model_validate(self._connection.get("runs", self.id))

    def history(self) -> tuple[StepDetails, ...]:
        """Return the run's operations in the order in which its code asked for them."""
        return self.get().steps

    def cost(self) -> RunCost:
        """Return what was taken for the run so far, in units and in dollars."""
        body = self._connection.get("runs", self.id, include="cost")
        return RunCost.model_validate(body["cost"])

    def audit(self) -> tuple[AuditEntry, ...]:
        """Return what was done to the run, by whom and why, oldest first."""
        pages = self._connection.pages(path("runs", self.id, "audit"))
        return tuple(AuditEntry.model_validate(each) for body in pages for each in body["audit"])

    def verify_audit(self) -> AuditVerdict:
        """Return what was done to the run's audit that should not have been done."""
        body = self._connection.get("runs", self.id, "audit", limit="1", verify="true")
        return AuditVerdict.model_validate(body["verified"])

    def logs(self, **which: Unpack[LogFilter]) -> LogPage:
        """Return lines that the run's code has said; see ``LogFilter`` for which."""
        query = log_query(which)
        call = Call(method="GET", path=path("runs", self.id, "logs"), query=query)
        return LogPage.model_validate(self._connection.send(call).body)

    def follow_logs(self, **which: Unpack[LogFilter]) -> Iterator[LogLine]:
        """Yield lines as they come, each once, until the run has ended."""

        def ask(more: Mapping[str, Any]) -> LogPage:
            return self.logs(**cast("LogFilter", {**which, **more}))

        return follow(ask, self._connection.waiting.sleep)

    def result(self, timeout: float | timedelta | None = None) -> Out_co:
        """Wait for the run to end, and return what its workflow returned.

        A run that was continued as new ends when the last one that goes on in its place does.
        With a workflow the value is of its output's type, else it is JSON data. A run that
        stands still is waited for, too: somebody may mend it.

        Args:
            timeout: Seconds or ``timedelta``; None to wait for as long as it takes.

        Raises:
            RunFailed: It has ended in another way.
            RunTimeout: It has not ended by then; it goes on.
            SerializationError: The result does not fit the workflow's output.
        """
        seconds = None if timeout is None else to_millis(timeout, "timeout") / SECOND
        body = self._ended(seconds)
        status = RunStatus(body["status"])
        if status is not RunStatus.COMPLETED:
            error = body.get("error")
            details = None if error is None else ErrorDetails.model_validate(error)
            raise RunFailed(str(body["run_id"]), status, details)
        if self._workflow is None:
            value: Out_co = body["result"]
            return value
        return self._workflow.output.decode(dumps(body["result"]))

    def send_event(self, name: str, payload: object = None, *, idempotency_key: str = "") -> None:
        """Send an event; once this returns it is kept, whether or not the run waits for it yet.

        Args:
            name: What the event is called.
            payload: Its data: a model, a dataclass, or anything that JSON can say.
            idempotency_key: The same key keeps one event of this name only; drawn if not given.

        Raises:
            IllegalStateError: The run has ended.
        """
        self._connection.send(
            Call(
                method="POST",
                path=path("runs", self.id, "events", name),
                headers={"Idempotency-Key": idempotency_key or new_key()},
                body=data_of(payload),
            )
        )

    def cancel(self, *, reason: str | None = None, force: bool = False) -> None:
        """Have the run end: its code is told and may undo things, with ``force`` it is not asked.

        Raises:
            IllegalStateError: The run has ended otherwise.
        """
        self._control("cancel", reason, {"force": True} if force else {})

    def pause(self, *, reason: str | None = None) -> None:
        """Let the run go no further until it is resumed; a step in flight is finished.

        Raises:
            IllegalStateError: The run has ended, or stands still already.
        """
        self._control("pause", reason)

    def resume(self, *, reason: str | None = None, budget: float | None = None) -> None:
        """Let a run that is paused or stalled go on.

        Args:
            reason: Why, for the audit.
            budget: What it may cost from now on, in dollars, all that it has cost included.

        Raises:
            IllegalStateError: The run has ended.
        """
        self._control("resume", reason, {} if budget is None else {"budget": budget})

    def retry(self, *, reason: str | None = None) -> Run[Out_co]:
        """Let a run that failed go on from the step that failed; return the run that does.

        Raises:
            IllegalStateError: The run has not failed.
        """
        return self._another(self._control("retry", reason, key=new_key()))

    def fork(
        self,
        from_step: str,
        *,
        input: object = NOTHING,  # noqa: A002 - the name in workflows
        reason: str | None = None,
    ) -> Run[Out_co]:
        """Start a run that keeps what this one recorded before a step, and executes it again.

        Args:
            from_step: The key of the step, for example ``charge#1``.
            input: Another input; that of this run if not given.
            reason: Why, for the audit.
        """
        said = {"from_step": from_step}
        said |= {} if input is NOTHING else {"input": data_of(input)}
        return self._another(self._control("fork", reason, said, key=new_key()))

    def diagnose(self) -> Diagnosis:
        """Return why the run does not move, and what would help."""
        return Diagnosis.model_validate(self._connection.get("runs", self.id, "diagnosis"))

    def repair(self, *, reason: str | None = None) -> str | None:
        """Do what helps the run now, if anything does; return what was done.

        Args:
            reason: Why, for the audit.

        Raises:
            IllegalStateError: The run has ended meanwhile.
        """
        done = self._control("repair", reason)["done"]
        return None if done is None else str(done)

    def remove(self) -> None:
        """Have the run removed, with all that is recorded of it; the next sweep does it.

        Raises:
            IllegalStateError: It has not ended.
        """
        self._connection.send(Call(method="POST", path=path("runs", self.id, "remove")))

    def _ended(self, seconds: float | None) -> Mapping[str, Any]:
        """Return the answer of the API once the run has ended."""
        run_id, now = self.id, self._connection.waiting.now
        deadline = None if seconds is None else now() + seconds
        while True:
            asked = now()
            left = _PAUSE * LONGEST_WAIT if deadline is None else max(deadline - asked, 0)
            answer = self._ask(run_id, min(int(left), LONGEST_WAIT))
            if answer.status == _DONE and "successor" in answer.body:
                run_id = str(answer.body["successor"])
                continue
            if answer.status == _DONE:
                return answer.body
            if deadline is not None and seconds is not None and now() >= deadline:
                raise RunTimeout(self.id, RunStatus(answer.body["status"]), seconds)
            # An answer that was not held back must not be asked for at once again.
            pause = min(_PAUSE - (now() - asked), left)
            if pause > 0:
                self._connection.waiting.sleep(pause)

    def _ask(self, run_id: str, wait: int) -> Answer:
        form = [] if self._workflow is None else [("form", "recorded")]
        return self._connection.send(
            Call(
                method="GET",
                path=path("runs", run_id, "result"),
                query=[("wait", str(wait)), *form],
                patience=wait,
            )
        )

    def _control(
        self, verb: str, reason: str | None, said: Mapping[str, object] = _SILENCE, *, key: str = ""
    ) -> Mapping[str, Any]:
        body = {} if reason is None else {"reason": reason}
        call = Call(
            method="POST",
            path=path("runs", self.id, verb),
            headers={"Idempotency-Key": key} if key else {},
            body={**body, **said} or None,
        )
        return self._connection.send(call).body

    def _another(self, body: Mapping[str, Any]) -> Run[Out_co]:
        accepted = RunStatus(body["status"])
        return Run(self._connection, str(body["run_id"]), self._workflow, accepted=accepted)

    def __repr__(self) -> str:
        return f"<run {self.id}>"


def new_key() -> str:
    """Return an idempotency key that nobody had before."""
    return _IDS.token()
