"""The example that is changed while its runs are in flight: membership-renewal."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from everstep import Context, workflow
from everstep.app.start import start
from everstep.testing import (
    ReplayError,
    TestEngine,
    assert_replays,
    crash_matrix,
    replay,
    save_history,
)
from tests.examples.test_in_memory import EXAMPLES, example_input
from tests.unit.cli.typed import typed
from workflows.mailing import send_mail
from workflows.membership_renewal import (
    Declined,
    Outcome,
    Renewal,
    declined_despite_reminder,
    declined_within,
    end,
    membership_renewal_1,
    membership_renewal_2,
    renew,
)

if TYPE_CHECKING:
    from pathlib import Path

    from everstep import Workflow
    from everstep.testing import TestRun
    from examples.services.everything import Services
    from tests.examples.conftest import Direct

DAY = timedelta(days=1)
DECLINED = Declined.model_validate_json(
    (EXAMPLES / "membership_renewal" / "declined.json").read_text()
)
RENEWED = Outcome(renewed=True, cents=700)
ENDED = Outcome(renewed=False, reason="I have moved")
BOTH = [membership_renewal_1, membership_renewal_2]
OLD_MAILS = ["Your membership will be renewed", "Your membership is renewed"]
NEW_MAILS = [
    "Renew your membership?",
    "Your membership is about to be renewed",
    "Your membership is renewed",
]


@workflow(name="membership-renewal", version="2")
async def without_reminder(ctx: Context, renewal: Renewal) -> Outcome:
    """Be version 2 as it was before the reminder."""
    await ctx.step(send_mail, renewal.mail, renewal.email, "Renew your membership?")
    declined = await declined_within(ctx, renewal.notice)
    return await renew(ctx, renewal) if declined is None else await end(ctx, renewal, declined)


@workflow(name="membership-renewal", version="2")
async def without_patched(ctx: Context, renewal: Renewal) -> Outcome:
    """Be version 2 with the reminder, by somebody who did not think of runs in flight."""
    await ctx.step(send_mail, renewal.mail, renewal.email, "Renew your membership?")
    declined = await declined_despite_reminder(ctx, renewal)
    return await renew(ctx, renewal) if declined is None else await end(ctx, renewal, declined)


def renewal(url: str, **options: object) -> Renewal:
    named = {service: f"{url}/{service}" for service in ("billing", "accounts", "mail")}
    return Renewal.model_validate({**example_input("membership_renewal"), **named, **options})


def version_of(run: TestRun[Outcome]) -> str:
    version: str = run.export()["run"]["version"]
    return version


def subjects(direct: Direct, member: str) -> list[str]:
    letters = direct.services.mail.letters.values()
    return [letter.subject for letter in letters if letter.to == member]


# --- versions side by side


@pytest.mark.network
def test_a_run_stays_on_its_version_when_the_next_is_deployed_and_new_runs_start_on_that(
    services: Services, url: str
) -> None:
    engine = TestEngine([membership_renewal_1])
    old = engine.start(membership_renewal_1, renewal(url))
    engine.run_until_idle()
    assert (old.status, version_of(old)) == ("SLEEPING", "1")

    engine.deploy(BOTH)
    engine.advance(10 * DAY)
    new = engine.start(membership_renewal_2, renewal(url, member="account-8"))
    engine.run_until_idle()
    assert (new.status, version_of(new)) == ("WAITING", "2")

    engine.advance(30 * DAY)
    assert (old.result, version_of(old)) == (RENEWED, "1")
    assert (new.result, version_of(new)) == (Outcome(renewed=True, cents=800), "2")
    old_first, new_first, old_last, reminder, new_last = services.mail.subjects
    assert [old_first, old_last] == OLD_MAILS
    assert [new_first, reminder, new_last] == NEW_MAILS
    engine.verify()


def test_a_client_that_asks_for_no_version_gets_the_highest_that_is_deployed(
    direct: Direct,
) -> None:
    engine = TestEngine([membership_renewal_1])
    given = renewal(direct.url).model_dump(mode="json")
    before = start(engine.ports, "membership-renewal", given)
    engine.deploy(BOTH)
    after = start(engine.ports, "membership-renewal", given)
    engine.advance(31 * DAY)
    assert [version_of(engine.get(each.run_id)) for each in (before, after)] == ["1", "2"]
    assert [engine.get(each.run_id).result for each in (before, after)] == [RENEWED, RENEWED]


def test_only_runs_on_the_new_version_can_be_declined(direct: Direct) -> None:
    engine = TestEngine(BOTH)
    old = engine.start(membership_renewal_1, renewal(direct.url))
    new = engine.start(membership_renewal_2, renewal(direct.url, member="account-8"))
    engine.advance(29 * DAY)
    for run in (old, new):
        engine.send_event(run.id, "declined", DECLINED)
    engine.advance(2 * DAY)
    assert (old.result, new.result) == (RENEWED, ENDED)
    assert direct.services.accounts.states == {"account-8": "closed"}
    assert len(direct.services.billing.invoices) == 1


def test_a_version_taken_away_too_early_stalls_its_runs_which_go_on_when_it_is_back(
    direct: Direct,
) -> None:
    engine = TestEngine(BOTH)
    run = engine.start(membership_renewal_1, renewal(direct.url))
    engine.run_until_idle()

    engine.deploy([membership_renewal_2])
    engine.advance(31 * DAY)
    assert run.status == "STALLED"
    assert run.error is not None
    assert run.error.message == (
        "workflow membership-renewal version 1 is not deployed (deployed versions: 2); "
        "deploy it and resume the run"
    )
    assert direct.services.billing.invoices == {}

    engine.deploy(BOTH)
    engine.advance(DAY)
    assert run.status == "STALLED"
    engine.resume(run.id)
    engine.run_until_idle()
    assert (run.result, version_of(run)) == (RENEWED, "1")
    assert direct.services.mail.subjects == OLD_MAILS
    engine.verify()


# --- a change within a version


def test_the_reminder_is_left_out_by_a_run_that_waited_already_and_sent_by_new_ones(
    direct: Direct,
) -> None:
    engine = TestEngine([without_reminder])
    old = engine.start(without_reminder, renewal(direct.url, email="old"))
    engine.run_until_idle()

    engine.deploy(BOTH)
    new = engine.start(membership_renewal_2, renewal(direct.url, email="new"))
    engine.advance(31 * DAY)
    assert (old.result, version_of(old)) == (RENEWED, "2")
    assert (new.result, version_of(new)) == (RENEWED, "2")
    assert subjects(direct, "old") == [NEW_MAILS[0], NEW_MAILS[2]]
    assert subjects(direct, "new") == NEW_MAILS
    engine.verify()


def test_without_patched_the_same_change_stalls_the_run(direct: Direct) -> None:
    engine = TestEngine([without_reminder])
    run = engine.start(without_reminder, renewal(direct.url))
    engine.run_until_idle()
    engine.deploy([without_patched])
    engine.advance(31 * DAY)
    assert run.status == "STALLED"

    engine.deploy(BOTH)
    engine.resume(run.id)
    engine.run_until_idle()
    assert run.result == RENEWED


@pytest.mark.parametrize("day", [1, 28])
def test_a_new_run_can_be_declined_before_the_reminder_and_after_it(
    direct: Direct, day: int
) -> None:
    engine = TestEngine(BOTH)
    run = engine.start(membership_renewal_2, renewal(direct.url))
    engine.advance(day * DAY)
    engine.send_event(run.id, "declined", DECLINED)
    engine.run_until_idle()
    assert run.result == ENDED
    assert (NEW_MAILS[1] in direct.services.mail.subjects) is (day == 28)


def test_a_notice_shorter_than_the_reminders_is_reminded_of_at_once(direct: Direct) -> None:
    engine = TestEngine(BOTH)
    run = engine.start(membership_renewal_2, renewal(direct.url, notice="P1D"))
    engine.run_until_idle()
    assert direct.services.mail.subjects == NEW_MAILS[:2]
    engine.advance(DAY)
    assert run.result == RENEWED


# --- the gate before a deployment


def test_the_gate_lets_the_change_with_patched_pass_and_refuses_it_without(
    direct: Direct,
) -> None:
    engine = TestEngine([without_reminder])
    run = engine.start(without_reminder, renewal(direct.url))
    engine.run_until_idle()
    assert_replays(run, BOTH)
    with pytest.raises(ReplayError) as refused:
        assert_replays(run, [without_patched])
    assert refused.value.report.operation == "declined#1"
    assert refused.value.report.verdict == "arguments-changed"


def test_the_command_finds_runs_of_both_versions_safe(direct: Direct, tmp_path: Path) -> None:
    before = [membership_renewal_1, without_reminder]
    engine = TestEngine(before)
    runs = [engine.start(each, renewal(direct.url)) for each in before]
    engine.run_until_idle()
    for run in runs:
        save_history(run, tmp_path / f"{run.id}.json")
    seen = typed("replay-check", "--workflows", "workflows.membership_renewal", str(tmp_path))
    assert (seen.code, seen.out) == (0, "2 runs checked: 2 safe, 0 pinned, 0 broken\n")


def test_the_command_refuses_a_new_run_when_the_reminder_is_taken_back(
    direct: Direct, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TestEngine(BOTH)
    run = engine.start(membership_renewal_2, renewal(direct.url))
    engine.run_until_idle()
    save_history(run, tmp_path / "run.json")
    code = "from tests.examples.test_versions import without_reminder as rolled_back\n"
    (tmp_path / "rolled_back.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    # The import ends with the test, too.
    monkeypatch.setitem(sys.modules, "rolled_back", ModuleType("rolled_back"))
    monkeypatch.delitem(sys.modules, "rolled_back")
    seen = typed("replay-check", "--workflows", "rolled_back", str(tmp_path / "run.json"))
    assert seen.code == 1
    assert seen.out.endswith("1 run checked: 0 safe, 0 pinned, 1 broken\n")


def test_a_run_whose_version_was_taken_away_is_pinned_to_it(direct: Direct) -> None:
    engine = TestEngine(BOTH)
    run = engine.start(membership_renewal_1, renewal(direct.url))
    engine.run_until_idle()
    report = replay(run, [membership_renewal_2])
    assert report.verdict == "pinned"
    assert not report.broken


# --- whatever goes wrong


@pytest.mark.parametrize("definition", BOTH, ids=["1", "2"])
def test_whatever_goes_wrong_around_it_a_member_is_billed_once(
    direct: Direct, definition: Workflow[Renewal, Outcome]
) -> None:
    def billed_once(_run: TestRun[Outcome]) -> None:
        assert len(direct.services.billing.invoices) == 1

    report = crash_matrix(definition, renewal(direct.url), setup=direct.renew, check=billed_once)
    assert report.outcome.result == RENEWED
