"""The part of ``ctx`` that has to do with other runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from everstep.authoring.children import ChildRun, event_sent, start_of
from everstep.core import codec
from everstep.core.keys import check_name
from everstep.core.operations import ChildCall, ContinueCall, Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.authoring.workflows import Workflow
    from everstep.core.session import Session

In = TypeVar("In")
R = TypeVar("R")


class OtherRuns:
    """Child runs, events for any run, and a successor of the run itself."""

    _session: Session
    _encode_input: Callable[[object], str]

    @overload
    def start(
        self, workflow: Workflow[In, R], input: In, /, *, reference_id: str | None = None
    ) -> Operation[ChildRun[R]]: ...
    @overload
    def start(
        self, workflow: Workflow[None, R], /, *, reference_id: str | None = None
    ) -> Operation[ChildRun[R]]: ...
    @overload
    def start(
        self, workflow: str, input: object = None, /, *, reference_id: str | None = None
    ) -> Operation[ChildRun[Any]]: ...
    def start(
        self,
        workflow: Any,
        input: Any = None,  # noqa: A002 - the public name
        /,
        *,
        reference_id: str | None = None,
    ) -> Operation[ChildRun[Any]]:
        """Start a child run, a run of its own; ``await`` the handle of it.

        Args:
            workflow: The workflow, or its name.
            input: What it is started with.
            reference_id: A name of yours for the run.

        Raises:
            InvalidInputError: At the ``await``, when the input does not fit.
            RunNotStarted: At the ``await``, when a run that has not ended has the reference id.
        """
        call, _, digest = start_of(self._session, workflow, input, reference_id)
        return Operation(self._session, check_name(call.workflow, "a workflow"), call, digest)

    @overload
    def call(
        self, workflow: Workflow[In, R], input: In, /, *, reference_id: str | None = None
    ) -> Operation[R]: ...
    @overload
    def call(
        self, workflow: Workflow[None, R], /, *, reference_id: str | None = None
    ) -> Operation[R]: ...
    @overload
    def call(
        self, workflow: str, input: object = None, /, *, reference_id: str | None = None
    ) -> Operation[Any]: ...
    def call(
        self,
        workflow: Any,
        input: Any = None,  # noqa: A002 - the public name
        /,
        *,
        reference_id: str | None = None,
    ) -> Operation[Any]:
        """Start a child run and wait for it; ``await`` what its workflow returns.

        Raises:
            ChildRunFailed: At the ``await``, when it has failed, was cancelled or timed out.
            InvalidInputError: At the ``await``, when the input does not fit.
            RunNotStarted: At the ``await``, when a run that has not ended has the reference id.
        """
        start, result, digest = start_of(self._session, workflow, input, reference_id)
        call = ChildCall(start=start, result=result)
        return Operation(self._session, check_name(start.workflow, "a workflow"), call, digest)

    def send_event(self, run_id: str, name: str, payload: object = None) -> Operation[None]:
        """Send an event to any run, exactly once.

        Args:
            run_id: The run.
            name: What the event is called.
            payload: What comes with it.

        Raises:
            EventNotSent: At the ``await``, when there is no such run, or it has ended.
        """
        return event_sent(self._session, run_id, name, payload)

    def continue_as_new(self, input: object = None) -> Operation[NoReturn]:  # noqa: A002 - the public name
        """End this run and let a new one go on in its place; ``await`` it: code goes no further.

        For runs without an end, whose history would grow for ever. The new run is one of the
        same workflow, of its highest version; it has the reference id, tags, retention and
        parent of this one, the same time-out anew, and the events that no wait has taken.

        Args:
            input: What the new run is started with.

        Raises:
            SerializationError: The input does not fit the workflow's annotation.
            RunCancelled: At the ``await``, when the run is to end.
        """
        text = self._encode_input(input)
        call = ContinueCall(input=text)
        digest = codec.digest(codec.decode(text))
        return Operation(self._session, "continue_as_new", call, digest)
