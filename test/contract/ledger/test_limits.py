"""Limits: how many jobs of a key run at once, and how many start in a time (rules 19 and 20)."""

from __future__ import annotations

from contract.ledger.sample import job
from hysds.core.limit_keys import Limit, Rate, written_limits, written_rates
from hysds.ports.ledger import Ledger

_LONG = "key:" + "k" * 100


def test_a_record_says_under_which_keys_its_job_is_limited(ledger: Ledger) -> None:
    """Whatever characters they have and however long they are; a job without keys keeps nothing."""
    limits, rates = (Limit("queue:gpu", 2), Limit(_LONG, 1)), (Rate("user:ünï c", 2, 3),)
    ledger.accept([limited := job(limits=limits, rates=rates), free := job()])

    kept, other = ledger.kept([limited.id, free.id])

    assert kept is not None
    assert other is not None
    assert (kept.record.limits, kept.record.rates) == (written_limits(limits), written_rates(rates))
    assert (other.record.limits, other.record.rates) == ("", "")
