"""What a benchmark's row says of its samples."""

from __future__ import annotations

import json

import pytest

from benchmarks.row import HEADER, Goal, Measure, Row, Samples, Unit, figure_text


def row(
    goal: Goal | None, ours: tuple[float, ...] = (0.01, 0.012, 0.4), peer: tuple[float, ...] = (0.004,)
) -> Row:
    return Row("noop", Unit.SECONDS, goal, Samples(ours, peer))


def test_a_figure_is_the_median_of_its_samples() -> None:
    """One sample that something disturbed moves neither side's figure."""
    found = row(None)

    assert (found.ours, found.peer) == (0.012, 0.004)
    assert found.ratio == pytest.approx(3)


@pytest.mark.parametrize(
    ("goal", "holds"),
    [
        (Goal(Measure.OURS, 0.012), True),
        (Goal(Measure.OURS, 0.0119), False),
        (Goal(Measure.TAIL, 0.4), True),
        (Goal(Measure.TAIL, 0.39), False),
        (Goal(Measure.RATIO, 3.1), True),
        (Goal(Measure.RATIO, 2.9), False),
        (Goal(Measure.RATIO, 2.9, at_least=True), True),
        (Goal(Measure.RATIO, 3.1, at_least=True), False),
        (Goal(Measure.EXCESS, 0.0081), True),
        (Goal(Measure.EXCESS, 0.0079), False),
    ],
)
def test_a_goal_bounds_our_figure_the_ratio_or_what_is_above_the_peer(goal: Goal, holds: bool) -> None:
    """Each measure is compared with its own bound, in the goal's own direction; the bound itself is good enough."""
    assert row(goal).holds is holds


def test_p99_is_what_one_sample_in_a_hundred_exceeds() -> None:
    """Of fewer than a hundred samples it is the largest."""
    assert row(None, tuple(map(float, range(1, 101)))).samples.tail == 99.0
    assert row(None, tuple(map(float, range(1, 100)))).samples.tail == 99.0


def test_a_row_without_a_goal_neither_holds_nor_fails() -> None:
    """A figure that nothing is asked of is shown as such."""
    assert row(None).holds is None
    assert json.loads(row(None).json())["goal"] is None
    assert row(None).line().split()[-2:] == ["-", "-"]


def test_a_json_row_has_the_promised_keys_and_all_raw_samples() -> None:
    """One object on one line, with the samples of both sides in the order in which they were taken."""
    text = row(Goal(Measure.OURS, 0.015)).json()
    read = json.loads(text)

    assert "\n" not in text
    assert list(read) == ["name", "ours", "p99", "peer", "ratio", "goal", "holds", "samples"]
    assert read["samples"] == {"ours": [0.01, 0.012, 0.4], "peer": [0.004]}
    assert (read["name"], read["goal"], read["holds"]) == ("noop", "ours <= 15 ms", True)


def test_a_ratio_over_nothing_is_null_in_json() -> None:
    """JSON has no infinity; the line for people still says it, and a goal of at least so much holds."""
    found = row(Goal(Measure.RATIO, 5, at_least=True), peer=(0.0,))

    assert json.loads(found.json())["ratio"] is None
    assert found.holds is True
    assert "inf" in found.line()


def test_a_goal_that_is_missed_stands_out() -> None:
    """The eye finds it in a table: the word is in capitals."""
    assert row(Goal(Measure.OURS, 0.001)).line().endswith(" NO")


def test_columns_stand_under_their_heads() -> None:
    """The head and the rows are cut alike."""
    line = row(Goal(Measure.OURS, 0.015)).line()

    assert line.index("ours <= 15 ms") == HEADER.index("goal")
    assert line.index("yes") == HEADER.index("holds")


@pytest.mark.parametrize(
    ("figure", "unit", "text"),
    [
        (0.0123, Unit.SECONDS, "12.3 ms"),
        (-0.0123, Unit.SECONDS, "-12.3 ms"),
        (2.345, Unit.SECONDS, "2.35 s"),
        (12345.6, Unit.PER_SECOND, "12,346/s"),
        (737.4, Unit.BYTES, "737 B"),
        (4.05, Unit.SENDS, "4.05 sends"),
    ],
)
def test_a_figure_is_shown_with_a_unit_of_its_size(figure: float, unit: Unit, text: str) -> None:
    """Milliseconds below a second, thousands apart above a hundred."""
    assert figure_text(figure, unit) == text
