"""What a step and a run may cost: the budget that the design set, against what was counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


_GROWS_WITH_PAYLOADS: Final = frozenset({"step: write units", "step: any other request"})
READS: Final = ("dynamodb Query", "dynamodb BatchGetItem", "dynamodb GetItem")
"""What a step reads with: everything, what a kept pass needs, or its record if that is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One promise."""

    what: str
    allowed: float
    counted: float
    exact: bool = True

    @property
    def kept(self) -> bool:
        """Say whether what was counted is what is allowed, or not above it."""
        return self.counted == self.allowed if self.exact else self.counted <= self.allowed

    def as_data(self) -> dict[str, Any]:
        """Return the line as plain data."""
        return {**asdict(self), "kept": self.kept}


def lines(result: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return the budget of a load."""
    common = (*_outcome(result), *_step(result["counted"]["step"]), *_run(result["counted"]))
    if "ledger" in result:
        common += tuple(
            Line(what=f"runs' own count of {name}, too much or too little", allowed=0, counted=n)
            for name, n in result["ledger"]["differences"].items()
        )
    if result["plan"]["result_bytes"] == 0:
        return common
    # The budget is that of records of up to a kilobyte; what payloads add is reported.
    return tuple(line for line in common if line.what not in _GROWS_WITH_PAYLOADS)


def _outcome(result: Mapping[str, Any]) -> tuple[Line, ...]:
    plan, outcome = result["plan"], result["outcome"]
    done = outcome["statuses"].get("COMPLETED", 0)
    return (
        Line(what="runs completed", allowed=plan["runs"], counted=done),
        Line(
            what="steps recorded as done",
            allowed=plan["runs"] * plan["steps"],
            counted=outcome["steps_done"],
        ),
        Line(
            what="effects that did not happen exactly once",
            allowed=0,
            counted=outcome["effects_not_exactly_once"],
        ),
        Line(what="messages left in the step queue", allowed=0, counted=outcome["left_in_queue"]),
        Line(what="dead letters", allowed=0, counted=outcome["left_in_dead_letters"]),
    )


def _step(step: Mapping[str, Any]) -> tuple[Line, ...]:
    calls = step["calls"]
    known = {*READS, "dynamodb PutItem", "sqs SendMessage"}
    return (
        Line(what="step: reads", allowed=1, counted=round(sum(calls.get(n, 0) for n in READS), 4)),
        Line(what="step: write units", allowed=1, counted=step["write_units"]),
        Line(what="step: index write units", allowed=0, counted=sum(step["index_units"].values())),
        Line(what="step: sends", allowed=1, counted=calls.get("sqs SendMessage", 0)),
        Line(
            what="step: any other request",
            allowed=0,
            counted=sum(n for name, n in calls.items() if name not in known),
        ),
    )


def _run(counted: Mapping[str, Any]) -> tuple[Line, ...]:
    end = counted["end"]
    plain, keyed = counted["start_plain"], counted["start_keyed"]
    return (
        Line(
            what="run without idempotency key: write units",
            allowed=6,
            counted=plain["write_units"] + end["write_units"],
            exact=False,
        ),
        Line(
            what="run with idempotency key: write units",
            allowed=6,
            counted=keyed["write_units"] + end["write_units"],
            exact=False,
        ),
        Line(
            what="run: index write units",
            allowed=5,
            counted=sum(plain["index_units"].values()) + sum(end["index_units"].values()),
            exact=False,
        ),
        Line(
            what="run: reads and sends beyond its steps",
            allowed=3,
            counted=sum(n for name, n in plain["calls"].items() if _reads_or_sends(name)),
            exact=False,
        ),
    )


def _reads_or_sends(call: str) -> bool:
    return call in {"dynamodb Query", "dynamodb GetItem", "sqs SendMessage"}
