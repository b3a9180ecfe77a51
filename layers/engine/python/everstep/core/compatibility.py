"""Whether today's code can go on with a recorded run: what to know before it is deployed.

The verdict comes from one replay; a second one, over what both agree on, finds out what the code
asks for where they part. Neither executes a step.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from everstep.core import codec
from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.errors import NonDeterminismError, PayloadTooLargeError, SerializationError
from everstep.core.exported import in_order
from everstep.core.keys import name_of, scope_of
from everstep.core.masking import agrees
from everstep.core.model import OpKind, RunStatus
from everstep.core.operations import StepCall
from everstep.core.records import dataclass, replace
from everstep.core.replay import Replay
from everstep.core.replay_reports import ReplayReport, Verdict, report_on
from everstep.core.shapes import call_digest
from everstep.core.telling import brief, brief_text, cut, told_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from everstep.core.definition import Definition
    from everstep.core.model import ErrorInfo, Head, History, OpRecord
    from everstep.core.operations import Operation

_NEW_VERSION: Final = "or deploy the change as a new version"
_VERBS: Final[Mapping[OpKind, str]] = {OpKind.SLEEP: "sleeps", OpKind.WAIT: "waits"}


def check_replay(definition: Definition, history: History, *, values: bool = False) -> ReplayReport:
    """Replay a run against today's code.

    Args:
        definition: Today's code for the run's workflow and version.
        history: Head and records, every payload at hand, that of the result included.
        values: Tell arguments and results in the report. They may be nobody else's business.
    """
    with Replay(definition, history) as replay:
        decision, asked = replay.decision, tuple(replay.asked)
    look = _Look(history=history, asked=asked, values=values)
    if isinstance(decision, Broken):
        return look.broken(decision)
    return look.safe(decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One history beside today's code."""

    history: History
    asked: tuple[str, ...]
    values: bool

    def _report(self, verdict: Verdict, reason: str, **more: Any) -> ReplayReport:  # noqa: ANN401 - fields of the report
        return report_on(self.history.head, verdict, reason, **more)

    # --- Code and history agree

    def safe(self, decision: Suspended | Returned | Raised) -> ReplayReport:
        count = len(self.history.records)
        operations = "operation" if count == 1 else "operations"
        reason = (
            f"today's code asks for what is recorded ({count} {operations})"
            if count
            else "nothing is recorded yet that could differ"
        )
        difference = self._difference(decision)
        notes = [difference] if difference else [*self._next(decision)]
        notes += self._stalled()
        return self._report(
            Verdict.SAFE, reason, notes=tuple(notes), same_outcome=difference is None
        )

    def _difference(self, decision: Suspended | Returned | Raised) -> str | None:
        """Say how the end of the run differs from today's, if it does."""
        head = self.history.head
        if head.status not in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CONTINUED):
            return None
        match decision:
            case Suspended(frontier=frontier) if head.status is RunStatus.CONTINUED and any(
                each.operation.kind is OpKind.CONTINUE for each in frontier
            ):
                return None
            case Returned(output=output) if _same_result(head, output):
                return None
            case Raised(error=error) if _same_error(head.error, error):
                return None
        return f"the run {self._end_of(head)}; today's code {self._end(decision)}"

    def _end_of(self, head: Head) -> str:
        if head.error is not None:
            return self._failed(head.error)
        if head.status is RunStatus.CONTINUED:
            return "was continued as new"
        return self._returned(head.result.at_hand if head.result else "null", "a value")

    def _end(self, decision: Suspended | Returned | Raised) -> str:
        if isinstance(decision, Returned):
            return self._returned(decision.output)
        if isinstance(decision, Raised):
            return self._failed(decision.error)
        return f"goes on and {next(_what_next(decision))}"

    def _returned(self, text: str, hidden: str = "another value") -> str:
        return f"returned {brief_text(text) if self.values else hidden}"

    def _failed(self, error: ErrorInfo) -> str:
        shown = f"{error.type}: {cut(error.message)}" if self.values else error.type
        return f"failed with {shown}"

    def _next(self, decision: Suspended | Returned | Raised) -> Iterable[str]:
        """Tell what comes after the last record."""
        if self.history.head.status.terminal or not isinstance(decision, Suspended):
            return
        for pending in decision.frontier:
            if pending.record is not None:
                named = _named(pending.operation, pending.key)
                yield f"it waits for the {named} ({pending.record.status})"
        unrecorded = tuple(each for each in decision.frontier if each.record is None)
        for text in _what_next(replace(decision, frontier=unrecorded)):
            yield f"after the last recorded operation it {text}"

    def _stalled(self) -> Iterable[str]:
        if self.history.head.stall is not None:
            yield f"the run stands still ({self.history.head.stall.reason.type}): resume it"

    # --- They do not

    def broken(self, decision: Broken) -> ReplayReport:
        error = decision.error
        last = self.asked[-1] if self.asked else ""
        record = self.history.records.get(last)
        if error.type == NonDeterminismError.__name__:
            if decision.asked is None:
                return self._left(decision)
            if record is None:
                return self._inserted(last, decision.asked, decision.keys)
            return self._changed(decision.asked, record)
        if error.type == SerializationError.__name__:
            return self._unreadable(error, record)
        after = f" after {last}" if last else ""
        return self._report(
            Verdict.CODE_MISTAKE,
            f"today's code makes a mistake{after}: {error.type}: {error.message}",
            mend="mend the code, and check again",
        )

    def _unreadable(self, error: ErrorInfo, record: OpRecord | None) -> ReplayReport:
        old = (
            "let the annotation read what is recorded, too: keep the fields that there were, and "
            f"give new ones a default; {_NEW_VERSION}"
        )
        if record is None:
            return self._report(
                Verdict.INPUT_UNREADABLE, f"the run's input: {error.message}", mend=old
            )
        reason = f"the result of {record.key}: {error.message}"
        return self._report(Verdict.RESULT_UNREADABLE, reason, operation=record.key, mend=old)

    def _inserted(self, key: str, asked: Operation[Any], unclaimed: frozenset[str]) -> ReplayReport:
        recorded = next(each for each in in_order(self.history) if each.key in unclaimed)
        text = f"today's code asks for the new {_named(asked, key)} where the {recorded.kind}"
        reason = f"{text} {recorded.key} stands recorded"
        if _same_but_for_its_name(asked, recorded):
            kept = f'"{name_of(recorded.key)}"'
            mend = f"it seems renamed, so keep the old name: name={kept}; {_NEW_VERSION}"
            verdict = Verdict.OPERATION_RENAMED
        else:
            mend = (
                "the one was inserted, or the other removed: keep the old order for runs in "
                f"flight (ctx.patched), {_NEW_VERSION}"
            )
            verdict = Verdict.OPERATION_INSERTED
        return self._report(verdict, reason, operation=key, mend=mend)

    def _left(self, decision: Broken) -> ReplayReport:
        """Report that the code does less than what is recorded."""
        if decision.keys <= {*self.asked}:
            return self._report(
                Verdict.BRANCHES_CHANGED,
                decision.error.message,
                operation=min(decision.keys),
                mend=f"let every branch come to the end that is recorded; {_NEW_VERSION}",
            )
        missing = [each.key for each in in_order(self.history) if each.key in decision.keys]
        ends = "ended" if decision.raised is None else self._failed(decision.raised)
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return self._report(
            Verdict.OPERATION_REMOVED,
            f"today's code {ends} without asking for {missing[0]}{more}, recorded already",
            operation=missing[0],
            mend=f"keep the operation for runs in flight (ctx.patched), {_NEW_VERSION}",
        )

    def _changed(self, asked: Operation[Any], record: OpRecord) -> ReplayReport:
        if asked.kind is not record.kind:
            return self._report(
                Verdict.KIND_CHANGED,
                f"recorded as a {record.kind}, today's code asks for a {asked.kind}",
                operation=record.key,
                mend="give the new operation another name, and keep the old one for runs in flight "
                f"(ctx.patched), {_NEW_VERSION}",
            )
        return self._report(
            Verdict.ARGUMENTS_CHANGED,
            self._arguments(asked, record),
            operation=record.key,
            mend="compute what a recorded operation is asked for from the input, recorded results, "
            f"ctx.now(), ctx.random() and ctx.uuid() alone; {_NEW_VERSION}",
            notes=tuple(self._passed_over(record)),
        )

    def _passed_over(self, record: OpRecord) -> Iterable[str]:
        """Tell of records before this one that were not asked for: they hint at an insertion."""
        before = takewhile(lambda each: each.key != record.key, in_order(self.history))
        beside = (each.key for each in before if scope_of(each.key) == scope_of(record.key))
        for key in (each for each in beside if each not in self.asked):
            name = name_of(record.key)
            yield f"{key}, recorded before, was not asked for; is there a new {name}?"

    def _arguments(self, asked: Operation[Any], record: OpRecord) -> str:
        if not isinstance(asked.call, StepCall):
            before, today = told_call(record.input_hash), told_call(asked.input_hash)
            return f"recorded {before}, today's code {_VERBS.get(asked.kind, 'asks for')} {today}"
        given, recorded = asked.call.arguments, argument_digests(record.input_hash)
        other = {name: value for name, value in given.items() if _differs(name, value, recorded)}
        added = [name for name in other if recorded and name not in recorded]
        changed = [name for name in other if name not in added]
        gone = [name for name in recorded if name not in given]
        parts = [f"recorded with another {' and '.join(changed)}"] if changed else []
        parts += [f"recorded without {' and '.join(added)}"] if added else []
        parts += [f"recorded with {' and '.join(gone)}, not passed today"] if gone else []
        if self.values and other:
            today = ", ".join(f"{name}={brief(value)}" for name, value in other.items())
            parts.append(f"today's code passes {today} (of what was recorded only hashes are kept)")
        return "; ".join(parts)


def argument_digests(input_hash: str) -> dict[str, str]:
    """Return the digest of each argument that a step was called with; empty if there were many."""
    parts = (part.partition("=") for part in input_hash.split(","))
    return {name: digest for name, equals, digest in parts if equals}


def _differs(name: str, value: object, recorded: Mapping[str, str]) -> bool:
    return argument_digests(call_digest({name: value})).get(name) != recorded.get(name)


def _same_but_for_its_name(asked: Operation[Any], recorded: OpRecord) -> bool:
    alike = (asked.kind, asked.input_hash) == (recorded.kind, recorded.input_hash)
    return alike and bool(asked.input_hash) and asked.name != name_of(recorded.key)


def _same_result(head: Head, output: str) -> bool:
    if head.result is not None:
        before, today = codec.decode(head.result.at_hand), codec.decode(output)
        return codec.digest(before) == codec.digest(today)
    # The output was refused when it was to be recorded.
    return head.error is not None and head.error.type == PayloadTooLargeError.__name__


def _same_error(one: ErrorInfo | None, other: ErrorInfo) -> bool:
    return one is not None and one.type == other.type and agrees(one.message, other.message)


def _what_next(decision: Suspended) -> Iterator[str]:
    """Say what the code does where the history ends."""
    for pending in decision.frontier:
        yield f"asks for the {_named(pending.operation, pending.key)}"
    for group in decision.closable:
        yield f"passes the {_named(group.operation, group.key)}"


def _named(operation: Operation[Any], key: str) -> str:
    return f"{operation.kind} {key}"
