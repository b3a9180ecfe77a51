"""Items as the two indexes project them, read; what is projected stands in the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import keys
from everstep.adapters.dynamodb.values import number_in, tags_in, text_in
from everstep.core.listing import Listed
from everstep.core.model import HEAD, DueEntry, OpStatus, RunStatus

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.values import Item


def to_due_entry(item: Item) -> DueEntry:
    """Return the entry of an item as the due index projects it."""
    run_id = keys.run_of(item["PK"]["S"])
    due_at = int(item["due_at"]["N"])
    if item["SK"]["S"] == keys.RUN_HEAD:
        return DueEntry(
            run_id=run_id,
            key=HEAD,
            due_at=due_at,
            wake_at=number_in(item, "wake_at") or 0,
            ended=RunStatus(item["status"]["S"]).terminal,
        )
    return DueEntry(
        run_id=run_id,
        key=keys.operation_of(item["SK"]["S"]),
        due_at=due_at,
        wake_at=number_in(item, "wake_at") or 0,
        # Every record has it: a template that does not project it is noticed here.
        attempt=int(item["attempt"]["N"]),
        status=OpStatus(item["status"]["S"]),
    )


def to_listed(item: Item) -> Listed:
    """Return the run of an item as the list index projects it."""
    return Listed(
        run_id=item["list_sk"]["S"],
        workflow=item["workflow"]["S"],
        version=item["version"]["S"],
        status=RunStatus(item["status"]["S"]),
        created_at=int(item["created_at"]["N"]),
        ended_at=number_in(item, "ended_at"),
        starts_at=number_in(item, "wake_at"),
        reference_id=text_in(item, "reference_id"),
        tags=tags_in(item),
    )
