"""Choices that are drawn, noted and made again."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from everstep.testing.simulation.choices import Choices, Drawn, Kept

asked = st.lists(
    st.tuples(
        st.sampled_from(["order", "fault", "odd"]),
        st.integers(1, 6),
        st.none() | st.floats(0, 1),
    )
)
Asked = list[tuple[str, int, float | None]]


def answers(choices: Choices, questions: Asked) -> list[int]:
    return [choices.pick(about, options, odds) for about, options, odds in questions]


@given(st.integers(), asked)
def test_what_was_drawn_is_chosen_again_from_what_was_noted(seed: int, questions: Asked) -> None:
    drawn = Drawn(Random(seed))  # noqa: S311 - a schedule, not a secret
    chosen = answers(drawn, questions)
    assert answers(Kept(drawn.schedule), questions) == chosen
    assert all(number < options for number, (_, options, _) in zip(chosen, questions, strict=True))
    assert sum(number > 0 for number in chosen) == len(drawn.schedule)


@given(asked)
def test_without_a_schedule_every_choice_is_the_usual_one(questions: Asked) -> None:
    assert not any(answers(Kept(), questions))


def test_choices_are_counted_by_what_they_are_about() -> None:
    kept = Kept({("odd", 2): 1, ("order", 1): 3})
    assert [kept.pick("odd", 2), kept.pick("order", 4), kept.pick("odd", 2)] == [0, 3, 1]


def test_a_choice_that_is_not_possible_any_more_is_the_usual_one() -> None:
    assert Kept({("order", 1): 3}).pick("order", 3) == 0


def test_odds_say_how_often_a_choice_is_not_the_usual_one() -> None:
    drawn = Drawn(Random(1))  # noqa: S311 - a schedule, not a secret
    assert not any(drawn.pick("never", 5, 0) for _ in range(100))
    assert all(drawn.pick("always", 5, 1) for _ in range(100))
    rare = sum(drawn.pick("rarely", 5, 0.1) > 0 for _ in range(1_000))
    assert 50 < rare < 200
    assert {drawn.pick("evenly", 3) for _ in range(100)} == {0, 1, 2}
