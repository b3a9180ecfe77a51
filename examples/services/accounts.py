"""Accounts of customers: on trial, paid for, or closed."""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.services.loopback import Answer, Request


@dataclass(slots=True, kw_only=True)
class Accounts:
    """Sets the state of an account with ``PUT /<customer>``.

    Attributes:
        states: The state, by customer.
        changes: Every change, in order; what is set again changes nothing.
    """

    states: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Set a state; one that is over does not begin again."""
        (customer,), state = request.path, request.body["state"]
        before = self.states.get(customer)
        if state == "trial" and before is not None:
            # Late, or asked for twice: the account is further by now.
            return Answer(body={"state": before})
        if state != before:
            self.states[customer] = state
            self.changes.append(state)
        return Answer(body={"state": state})
