"""The list of benchmarks and the command line over it; none is run here."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import main
from benchmarks.catalogue import BENCHMARKS


def test_each_benchmark_has_a_name_of_its_own_and_says_what_it_measures() -> None:
    """The sentence names both sides: ours, and a peer or a floor."""
    assert len({item.name for item in BENCHMARKS}) == len(BENCHMARKS)
    for item in BENCHMARKS:
        assert "peer" in item.sentence or "floor" in item.sentence, item.name


def test_a_name_that_there_is_not_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is started for a slip of the fingers."""
    with pytest.raises(SystemExit) as ended:
        main(["noob"])

    assert ended.value.code == 2
    assert "noop" in capsys.readouterr().err


def test_help_lists_all_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for help learns the names."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"\n{item.name} " in printed for item in BENCHMARKS)
