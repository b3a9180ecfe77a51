"""A desk where reviewers find what they are to read, and lose what is handed to somebody else."""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.services.loopback import Answer, Request


@dataclass(slots=True, kw_only=True)
class Task:
    """What one reviewer is to read, and the callback token to answer with."""

    reviewer: str
    document: str
    token: str


@dataclass(slots=True, kw_only=True)
class Desk:
    """Hands out with ``PUT /tasks/<id>``, takes away with ``DELETE /tasks/<id>``.

    Attributes:
        tasks: What lies on the desk, by id.
        void: What was taken away; it is never handed out again.
        events: Who was handed something, and who lost it, in order.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    void: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Hand out or take away; both may be repeated."""
        _, name = request.path
        if request.method == "DELETE":
            return self._take_away(name)
        if name not in self.tasks and name not in self.void:
            self.tasks[name] = Task(**request.body)
            self.events.append(f"{self.tasks[name].reviewer} has it")
        return Answer(body={})

    def _take_away(self, name: str) -> Answer:
        task = self.tasks.pop(name, None)
        if task is not None:
            self.void[name] = task.reviewer
            self.events.append(f"{task.reviewer} has lost it")
        return Answer(body={})

    def token_of(self, reviewer: str) -> str:
        """Return what a reviewer answers with.

        Raises:
            LookupError: Nothing lies there for this one.
        """
        tokens = [task.token for task in self.tasks.values() if task.reviewer == reviewer]
        return tokens[0]
