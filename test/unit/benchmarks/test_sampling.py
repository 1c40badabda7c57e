"""How samples are taken."""

from __future__ import annotations

from benchmarks import sampling


def test_samples_are_taken_in_turn_and_warm_ups_are_not_kept() -> None:
    """Ours, the peer's, ours, the peer's: what disturbs the machine for a while meets both sides."""
    order: list[str] = []

    def take(side: str) -> float:
        order.append(side)
        return float(len(order))

    samples = sampling.alternate(lambda: take("ours"), lambda: take("peer"), rounds=2, warm_ups=1)

    assert order == ["ours", "peer"] * 3
    assert (samples.ours, samples.peer) == ((3.0, 5.0), (4.0, 6.0))
