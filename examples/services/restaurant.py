"""A restaurant's own system: orders, payments and rides, under ids of the client's choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from examples.services.loopback import Answer, Request


@dataclass(slots=True, kw_only=True)
class Restaurant:
    """Keeps with ``PUT /<kind>/<id>``, takes back with ``DELETE /<kind>/<id>``.

    An id that was taken back is never kept again: a request that was under way for long may
    arrive after the one that takes it back.

    Attributes:
        couriers: Who brings what is ordered; nobody if it is empty.
        kept: What is kept now, by kind and id.
        void: What was taken back.
        events: What was kept and taken back, in order.
    """

    couriers: list[str] = field(default_factory=lambda: ["Grace", "Alan"])
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)
    void: set[tuple[str, str]] = field(default_factory=set)
    events: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Keep or take back; both may be repeated."""
        kind, name = request.path
        if request.method == "DELETE":
            return self._take_back(kind, name)
        if (kind, name) in self.void:
            return Answer(status=410, body={"error": "taken back before"})
        if kind == "rides" and not self.couriers:
            return Answer(status=409, body={"error": "no courier is free"})
        if (kind, name) not in self.kept:
            self.kept[kind, name] = request.body
            self.events.append(f"kept {kind}")
        return Answer(body={"courier": self.couriers[0]} if kind == "rides" else {})

    def _take_back(self, kind: str, name: str) -> Answer:
        self.void.add((kind, name))
        if self.kept.pop((kind, name), None) is not None:
            self.events.append(f"took back {kind}")
        return Answer(body={})
