"""What is written reads back the same, whatever it is."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from everstep.adapters.dynamodb import items
from everstep.adapters.dynamodb.keys import claim as claim_key
from everstep.core import messages
from everstep.core.circumstances import Claim, Ending, How, Origin, Parent, Trail
from everstep.core.model import (
    ErrorInfo,
    Event,
    Head,
    Message,
    MessageKind,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)
from everstep.core.run_logs import LogChunk, Logs
from everstep.core.shapes import call_digest
from everstep.core.spending import Spent
from everstep.core.trace_context import Correlation, TraceContext

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.values import Item

texts = st.text(max_size=20)
names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="#/"), min_size=1)
numbers = st.integers(min_value=0, max_value=2**53 - 1)
maybe_numbers = st.none() | numbers
payloads = st.builds(
    Payload, text=st.none() | texts, ref=st.none() | texts, size=st.integers(0, 2**40)
)
errors = st.builds(
    ErrorInfo, type=texts, message=texts, operation=st.none() | texts, trace=st.none() | texts
)
chunks = st.builds(LogChunk, at=numbers, attempt=numbers, count=numbers, payload=payloads)
logs = st.builds(Logs, chunks=st.lists(chunks, max_size=2).map(tuple), lines=st.just(()))
stalls = st.builds(Stall, reason=errors, at=numbers, message=st.none() | texts)
costs = st.just("") | st.builds(
    Spent, *[st.integers(0, 10**6)] * 10, st.integers(-(10**6), 10**6)
).map(lambda spent: spent.text)
records = st.builds(
    OpRecord,
    key=names,
    kind=st.sampled_from(OpKind),
    status=st.sampled_from(OpStatus),
    by=texts,
    input_hash=texts,
    attempt=st.integers(0, 1000),
    started_at=maybe_numbers,
    ended_at=maybe_numbers,
    wake_at=maybe_numbers,
    due_at=maybe_numbers,
    result=st.none() | payloads,
    error=st.none() | errors,
    event=maybe_numbers,
    child=st.none() | names,
    outcome=st.none() | st.sampled_from(RunStatus),
    patches=st.lists(texts, max_size=3).map(tuple),
    logs=logs,
    cost=costs,
    hidden=st.none() | payloads,
)
events = st.builds(
    Event,
    name=names,
    number=st.integers(1, 10**6),
    payload=payloads,
    at=numbers,
    key=st.none() | texts,
    taken_by=st.none() | names,
    cost=costs,
)
parents = st.builds(Parent, run_id=names, op=names)
endings = st.builds(
    Ending,
    status=st.sampled_from([RunStatus.CANCELLED, RunStatus.TIMED_OUT]),
    at=numbers,
    who=st.none() | texts,
    why=st.none() | texts,
)
origins = st.builds(
    Origin, run_id=names, op=names, root=names, root_created_at=numbers, effects=names
)
digits = st.integers(1, 2**64 - 1)
traces = st.builds(
    TraceContext,
    trace_id=digits.map(lambda number: f"{number:032x}"),
    span_id=digits.map(lambda number: f"{number:016x}"),
    sampled=st.booleans(),
    derived=st.just(value=False),
) | st.builds(
    TraceContext,
    trace_id=digits.map(lambda number: f"{number:032x}"),
    span_id=digits.map(lambda number: f"{number:016x}"),
    sampled=st.just(value=False),
    derived=st.just(value=True),
)
correlations = st.builds(Correlation, trace=traces, id=st.none() | names)
trails = st.builds(
    Trail,
    link=names,
    how=st.none() | st.sampled_from(How),
    who=st.none() | names,
    why=st.none() | names,
    sealed=maybe_numbers,
    after=st.none() | names,
    started_at=maybe_numbers,
)
heads = st.builds(
    Head,
    run_id=names,
    workflow=names,
    version=texts,
    status=st.sampled_from(RunStatus),
    input=payloads,
    created_at=numbers,
    by=texts,
    generation=st.integers(0, 1000),
    due_at=maybe_numbers,
    starts_at=maybe_numbers,
    ended_at=maybe_numbers,
    result=st.none() | payloads,
    error=st.none() | errors,
    stall=st.none() | stalls,
    resumed_at=maybe_numbers,
    idempotency_key=st.none() | texts,
    secret=texts,
    parent=st.none() | parents,
    deadline=maybe_numbers,
    ending=st.none() | endings,
    origin=st.none() | origins,
    reference_id=st.none() | texts,
    tags=st.dictionaries(names, texts, max_size=3),
    retention=maybe_numbers,
    successor=st.none() | names,
    correlation=st.none() | correlations,
    logs=logs,
    cost=costs,
    total=costs,
    past=costs,
    budget=maybe_numbers,
    hidden=st.none() | payloads,
    trail=st.none() | trails,
)
claims = st.builds(Claim, workflow=names, key=texts, run_id=names, input_hash=texts)
anything = st.builds(
    Message,
    run_id=names,
    kind=st.sampled_from([MessageKind.START, MessageKind.RECOVER, MessageKind.EVENT]),
    token=names,
    op=st.just("") | names,
    attempt=st.integers(0, 1000),
    due=numbers,
    take=st.booleans(),
    cost=costs,
)
of_operations = st.builds(
    Message,
    run_id=names,
    kind=st.sampled_from([MessageKind.STEP, MessageKind.TIMER, MessageKind.CHECK]),
    token=names,
    op=names,
    attempt=st.integers(1, 1000),
    due=numbers,
    take=st.booleans(),
    cost=costs,
)


def assert_indexed(item: Item, due_at: int | None) -> None:
    """An item is in the due index with both attributes of its key, or with none."""
    assert ("due_pk" in item) == ("due_at" in item) == (due_at is not None)


@given(records)
def test_a_record_reads_back_the_same(record: OpRecord) -> None:
    item = items.from_record("run", record)
    read = items.to_record(item)
    assert (read, read.cost) == (record, record.cost)
    assert_indexed(item, record.due_at)


@given(heads)
def test_a_head_reads_back_the_same(head: Head) -> None:
    item = items.from_head(head)
    read = items.to_head(item)
    assert (read, read.cost, read.total) == (head, head.cost, head.total)
    assert_indexed(item, head.due_at)


@given(events)
def test_an_event_reads_back_the_same(event: Event) -> None:
    read = items.to_event(items.from_event("run", event))
    assert (read, read.cost) == (event, event.cost)


def test_what_is_generated_has_every_field() -> None:
    for model, strategy in ((Head, heads), (OpRecord, records), (Event, events)):
        given_fields = re.findall(r"(\w+)=", repr(strategy).replace("==", ""))
        assert {each.name for each in fields(model)} <= {*given_fields}, model


@given(claims)
def test_a_claim_reads_back_the_same(claim: Claim) -> None:
    assert items.to_claim(items.from_claim(claim)) == claim


@given(claims, claims)
def test_two_claims_meet_only_on_the_same_key_of_the_same_workflow(
    one: Claim, other: Claim
) -> None:
    same = (one.workflow, one.key) == (other.workflow, other.key)
    assert (claim_key(one.workflow, one.key) == claim_key(other.workflow, other.key)) == same


@given(anything | of_operations)
def test_a_message_reads_back_the_same(message: Message) -> None:
    body = messages.encode(message)
    read = messages.decode(body)
    assert (read, read.cost) == (message, message.cost)
    assert body.isascii()


def test_a_call_without_arguments_leaves_no_empty_text_in_an_item() -> None:
    record = OpRecord(
        key="a#1", kind=OpKind.STEP, status=OpStatus.DONE, by="token", input_hash=call_digest({})
    )
    item = items.from_record("run-1", record)
    assert {"S": ""} not in item.values()
    read = items.to_record(item)
    assert (read, read.cost) == (record, record.cost)
