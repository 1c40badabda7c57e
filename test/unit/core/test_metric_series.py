"""Which combinations of labels a metric gets."""

from __future__ import annotations

import pytest

from hysds.core import metric_series
from hysds.core.metric_names import OPEN, TABLE, Kind, Metric
from hysds.core.metric_series import OTHER, Series


def test_what_comes_first_is_kept_and_what_comes_later_shares_one_place() -> None:
    """Open labels become OTHER, closed ones stay; a combination that is known is so for ever."""
    series = Series(Metric.JOBS_ENDED, most=2)

    first = series.admit(("job-completed", "", "job:a", "q"))
    second = series.admit(("job-failed", "user", "job:a", "q"))
    third = series.admit(("job-failed", "user", "job:b", "q"))

    assert first == ("job-completed", "", "job:a", "q")
    assert second == ("job-failed", "user", "job:a", "q")
    assert third == ("job-failed", "user", OTHER, OTHER)
    assert series.admit(("job-completed", "", "job:a", "q")) == first


def test_no_hostile_name_makes_more_series_than_the_bound() -> None:
    """Whatever stands in open and closed labels, a metric has at most twice its room and one."""
    series = Series(Metric.JOBS_ENDED, most=10)

    kept = {series.admit((f"s{n}", f"c{n}", f"t{n}", f"q{n}")) for n in range(1_000)}

    assert len(kept) <= 21
    assert (OTHER,) * 4 in kept


def test_rows_without_room_are_summed_or_the_greatest_of_them_is_told() -> None:
    """The greatest keep their names."""
    rows = {("a",): 1.0, ("b",): 5.0, ("c",): 2.0}

    assert Series(Metric.QUEUE_READY, most=1).folded(rows) == {("b",): 5.0, (OTHER,): 3.0}
    assert Series(Metric.QUEUE_OLDEST, most=1).folded(rows) == {("b",): 5.0, (OTHER,): 2.0}


def test_a_value_is_text_that_can_be_sent_and_is_short() -> None:
    """Half characters become question marks; 120 characters are enough."""
    series = Series(Metric.QUEUE_READY)

    assert series.admit(("\ud800",)) == ("?",)
    assert len(series.admit(("q" * 1_000,))[0]) == 121


@pytest.mark.parametrize(
    "labels", [{}, {"queue": "q"}, {"type": "t", "queue": "q", "more": "x"}, {"kind": "t", "queue": "q"}]
)
def test_labels_that_a_metric_does_not_have_are_refused(labels: dict[str, str]) -> None:
    """A typo would else be a series that nobody finds."""
    with pytest.raises(ValueError, match="hysds_jobs_accepted_total"):
        metric_series.values(Metric.JOBS_ACCEPTED, labels)


def test_the_table_keeps_to_the_names_that_prometheus_expects() -> None:
    """Counters end in _total, times in seconds and sizes in bytes, histograms have growing bounds, no name is twice."""
    assert len({shape.name for shape in TABLE}) == len(TABLE)
    for shape in TABLE:
        assert shape.name.startswith("hysds_")
        assert shape.name.endswith("_total") is (shape.kind is Kind.COUNTER), shape.name
        assert shape.help.endswith("."), shape.name
        assert list(shape.buckets) == sorted(set(shape.buckets)), shape.name
        assert bool(shape.buckets) is (shape.kind is Kind.HISTOGRAM), shape.name
    assert not {label for shape in TABLE for label in shape.labels} & {"job", "id", "instance", "le"}
    assert {label for shape in TABLE for label in shape.labels} | {"worker"} >= OPEN
