"""A travel agency: flights, hotels and cars that are booked under an id of the client's choice."""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.services.loopback import Answer, Request


@dataclass(slots=True, kw_only=True)
class Travel:
    """Books with ``PUT /<kind>/<id>`` and gives back with ``DELETE /<kind>/<id>``.

    An id that was given back is never booked again, also if there was nothing to give back: a
    request to book that was under way for long may arrive after the one to give back.

    Attributes:
        sold_out: Kinds of which nothing is left.
        not_returnable: Kinds that are never taken back.
        booked: What is booked now, by kind and id.
        void: What was given back.
        events: What was booked and given back, in order.
    """

    sold_out: set[str] = field(default_factory=set)
    not_returnable: set[str] = field(default_factory=set)
    booked: dict[tuple[str, str], object] = field(default_factory=dict)
    void: set[tuple[str, str]] = field(default_factory=set)
    events: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Book or give back; both may be repeated."""
        kind, booking = request.path
        if request.method == "PUT":
            return self._book(kind, booking, request.body)
        return self._give_back(kind, booking)

    def _book(self, kind: str, booking: str, body: object) -> Answer:
        if (kind, booking) in self.void:
            return Answer(status=410, body={"error": "given back before"})
        if kind in self.sold_out:
            return Answer(status=409, body={"error": f"no {kind} left"})
        if (kind, booking) not in self.booked:
            self.booked[kind, booking] = body
            self.events.append(f"booked {kind}")
        return Answer(body={"reference": f"{kind[0].upper()}-{booking[:8]}"})

    def _give_back(self, kind: str, booking: str) -> Answer:
        if (kind, booking) in self.booked and kind in self.not_returnable:
            return Answer(status=403, body={"error": f"{kind} are not taken back"})
        self.void.add((kind, booking))
        if (kind, booking) not in self.booked:
            return Answer(status=404, body={"error": "no such booking"})
        del self.booked[kind, booking]
        self.events.append(f"gave back {kind}")
        return Answer(body={})
