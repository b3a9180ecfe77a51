"""What the due index of the memory store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.model import HEAD, DueEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from everstep.core.model import Head, OpRecord


def armed(
    heads: Mapping[str, Head], records: Mapping[str, Mapping[str, OpRecord]]
) -> Iterator[DueEntry]:
    """Yield the entries of runs and operations that stand in the index.

    Args:
        heads: Every run, by id.
        records: What is recorded of its operations, by run and key.
    """
    for run_id, head in heads.items():
        if head.due_at is not None:
            yield DueEntry(
                run_id=run_id,
                key=HEAD,
                due_at=head.due_at,
                wake_at=head.starts_at or 0,
                ended=head.status.terminal,
            )
    for run_id, each in records.items():
        for record in each.values():
            if record.due_at is not None:
                yield DueEntry(
                    run_id=run_id,
                    key=record.key,
                    due_at=record.due_at,
                    wake_at=record.wake_at or 0,
                    attempt=record.attempt,
                    status=record.status,
                )
