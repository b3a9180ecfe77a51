"""``ChildRun``: a run that another one has started, as its workflow code holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from everstep.core import codec
from everstep.core.errors import DefinitionError, SerializationError
from everstep.core.keys import check_name
from everstep.core.operations import CancelCall, ChildCall, Operation, SendCall, StartCall
from everstep.core.plain_data import is_plain
from everstep.core.shapes import Shape, shape_of

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow
    from everstep.core.session import Session

R = TypeVar("R")


class ChildRun(Generic[R]):
    """A child run.

    Attributes:
        id: Its run id.
    """

    def __init__(self, session: Session, run_id: str, started_by: str, result: Shape[R]) -> None:
        """Hold a run that was started.

        Args:
            session: The pass.
            run_id: The child.
            started_by: Key of the operation that started it.
            result: What its workflow returns.
        """
        self._session = session
        self._started_by = started_by
        self._result = result
        self.id = run_id

    def result(self, name: str = "result") -> Operation[R]:
        """Wait for the child; ``await`` what its workflow returns.

        Args:
            name: Name in keys and history.

        Raises:
            ChildRunFailed: At the ``await``, when it has failed, was cancelled or timed out.
        """
        call = ChildCall(child=self.id, started_by=self._started_by, result=self._result)
        return Operation(self._session, _checked(name), call, f"of={self._started_by}")

    def send_event(self, name: str, payload: object = None) -> Operation[None]:
        """Send an event to the child, exactly once; see ``ctx.send_event``."""
        return event_sent(self._session, self.id, name, payload)

    def cancel(self, name: str = "cancel") -> Operation[None]:
        """Have the child end; its code may undo what was done, which is not waited for.

        Args:
            name: Name in keys and history.
        """
        call = CancelCall(run_id=self.id)
        return Operation(self._session, _checked(name), call, codec.digest(self.id))

    def __repr__(self) -> str:
        return f"<child run {self.id}>"


def start_of(
    session: Session,
    workflow: Workflow[Any, R] | str,
    value: object,
    reference_id: str | None,
) -> tuple[StartCall, Shape[Any], str]:
    """Return the start of a child run, what its workflow returns, and the hash of both.

    Raises:
        DefinitionError: Neither a workflow nor the name of one.
        SerializationError: The input has no stable recorded form.
    """
    if isinstance(workflow, str):
        name, text, result = workflow, codec.encode(value), shape_of(Any)
    elif hasattr(workflow, "encode_output"):
        name, text, result = workflow.name, workflow.input.encode(value), workflow.output
    else:
        raise DefinitionError(
            f"a child run is started of a workflow or by its name, not of {workflow!r}"
        )

    def answer(run_id: str, key: str) -> ChildRun[Any]:
        return ChildRun(session, run_id, key, result)

    call = StartCall(workflow=name, input=text, reference_id=reference_id, answer=answer)
    return call, result, codec.digest([name, codec.decode(text), reference_id])


def event_sent(session: Session, run_id: str, name: str, payload: object) -> Operation[None]:
    """Return the operation that sends an event to a run.

    Raises:
        SerializationError: The payload cannot be said in JSON.
    """
    checked = check_name(name, "the name of an event")
    data = _as_json(payload, checked)
    call = SendCall(run_id=run_id, event=checked, payload=codec.encode(data))
    return Operation(session, checked, call, codec.digest([run_id, name, data]))


def _as_json(payload: object, event: str) -> object:
    """Return a payload as it would come from outside: whoever waits reads it as JSON data."""
    if is_plain(payload):
        return payload
    from pydantic_core import to_jsonable_python

    try:
        return to_jsonable_python(payload)
    except ValueError as error:
        raise SerializationError(
            f"the payload of event {event} is no JSON data: {error}"
        ) from error


def _checked(name: str) -> str:
    return check_name(name, "the name of an operation")
