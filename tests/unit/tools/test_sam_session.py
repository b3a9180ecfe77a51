"""What is invoked with what, in which order, and which answers are accepted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from tests.cloudformation import ROOT, load
from tools.record_events import EVENTS, FUNCTIONS
from tools.sam.cli import SamError
from tools.sam.containers import with_variable
from tools.sam.session import Deployed, events_in, function_of, one_each, use
from tools.scrubbing import RUN_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

STARTED: Final = "01KE0000000000000000000001"
BODY: Final = json.dumps({"run": STARTED, "kind": "start", "tok": "t"})


class Queue:
    key = "evs_abcdefabcdef_00000000000000000000000000000000"

    def message(self) -> dict[str, Any]:
        return {"MessageId": "m-1", "Body": BODY}


@dataclass(slots=True)
class Answers:
    """Answers every invocation as told, and remembers the events."""

    answer: Any = field(default_factory=lambda: {"statusCode": 202})
    events: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = "made up"

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        self.events[function] = event
        if function == "TriggerFunction":
            return {"statusCode": 202, "body": json.dumps({"run_id": STARTED})}
        return self.answer


def used(invoker: Answers, *names: str) -> list[str]:
    events = events_in(EVENTS)
    chosen = {name: events[name] for name in names}
    done = use(invoker, cast("Deployed", Queue()), chosen, FUNCTIONS)
    return [each.event for each in done]


def test_every_recorded_event_is_for_a_function_and_every_function_has_one() -> None:
    meant = {function_of(name, FUNCTIONS) for name in events_in(EVENTS)}
    assert meant == set(FUNCTIONS.values())


def test_the_functions_are_those_of_the_template() -> None:
    kinds = {name: each["Type"] for name, each in load()["Resources"].items()}
    declared = {name for name, kind in kinds.items() if kind == "AWS::Serverless::Function"}
    assert declared == set(FUNCTIONS.values())
    assert {path.parent.name for path in ROOT.glob("functions/*/handler.py")} == set(FUNCTIONS)


def test_the_run_is_started_first_and_cancelled_after_all_questions() -> None:
    order = list(events_in(EVENTS))
    assert order[:2] == ["trigger", "step-executor"]
    assert order[-2:] == ["api-cancel-run", "sweeper"]


def test_each_function_can_be_invoked_just_once() -> None:
    chosen = one_each(events_in(EVENTS), FUNCTIONS)
    assert [function_of(name, FUNCTIONS) for name in chosen].count("ApiFunction") == 1
    assert {function_of(name, FUNCTIONS) for name in chosen} == set(FUNCTIONS.values())


def test_an_event_for_nobody_is_refused() -> None:
    with pytest.raises(SamError, match=r"mailer-x\.json is for none of"):
        function_of("mailer-x", FUNCTIONS)


def test_later_events_are_about_the_run_that_was_started() -> None:
    invoker = Answers()
    assert used(invoker, "trigger", "api-get-run") == ["trigger", "api-get-run"]
    assert invoker.events["ApiFunction"]["path"] == f"/runs/{STARTED}"


def test_the_executor_gets_a_message_that_was_sent() -> None:
    invoker = Answers(answer={"batchItemFailures": []})
    used(invoker, "trigger", "step-executor")
    (record,) = invoker.events["StepExecutorFunction"]["Records"]
    assert (record["messageId"], record["body"]) == ("m-1", BODY)
    checksum = hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest()
    assert record["md5OfBody"] == checksum


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"errorType": "Runtime.ImportModuleError"}, "the function failed"),
        (None, "the function failed"),
        ({"statusCode": 500, "body": "{}"}, '"statusCode": 500'),
        ({"batchItemFailures": [{"itemIdentifier": "m-1"}]}, "messages were not processed"),
    ],
    ids=["error", "nothing", "server-error", "failed-message"],
)
def test_a_wrong_answer_ends_it_and_is_shown(answer: object, said: str) -> None:
    with pytest.raises(SamError, match=said):
        used(Answers(answer=answer), "step-executor")


def test_a_recorded_run_is_asked_for_where_none_was_started() -> None:
    invoker = Answers()
    used(invoker, "api-get-run")
    assert invoker.events["ApiFunction"]["path"] == f"/runs/{RUN_ID}"


def test_every_function_gets_one_more_variable_and_the_rest_of_the_template_stays() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    changed = with_variable(text, "AWS_ENDPOINT_URL")
    assert '"AWS_ENDPOINT_URL": ""' in changed
    assert "!Ref Table" in changed or "!Ref 'Table'" in changed


def test_a_template_without_variables_is_refused() -> None:
    with pytest.raises(SamError, match="has no Globals"):
        with_variable("Resources: {}", "X")
