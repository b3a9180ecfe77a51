"""A storm in a few lines, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.storm.checks import Effects
    from tests.e2e.storm.course import Storm


def summary(storm: Storm, effects: Effects) -> str:
    """Return what happened."""
    fleet, duplicator, caretaker = storm.fleet, storm.duplicator, storm.caretaker
    executions = sum(len(each) for each in effects.values())
    lines = {
        "functions killed": _shown(storm.kills),
        "invocations cut off by that": _shown(storm.cut_off),
        "pollers killed": f"{fleet.killed}, of which with messages in hand {fleet.killed_busy}",
        "messages received by pollers": f"{fleet.received}",
        "duplicates sent": f"{duplicator.copies} copies, {duplicator.replays} replays",
        "triggers repeated": f"{storm.client.repeats}",
        "effects": f"{executions} of {len(effects)} attempts, {executions - len(effects)} repeats",
        "resumed by reason": _shown(caretaker.resumed),
        "sent by the sweeper": _shown(caretaker.sent),
        "looks of the witness": f"{storm.witness.looks}",
        "time to quiet": f"{storm.quiet_seconds:.1f} s",
    }
    return "\n".join(f"  {name:<29} {text}" for name, text in lines.items())


def _shown(counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return f"{sum(counts.values())} ({listed})" if listed else "0"
