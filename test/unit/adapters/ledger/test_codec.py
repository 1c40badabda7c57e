"""What the scripts are given and what they answer."""

from __future__ import annotations

import json

from hysds.adapters.ledger import codec
from hysds.core.floor_requests import Drain, Fit
from hysds.core.record import FOREVER, Record
from hysds.core.requests import Acceptance, Bid
from hysds.core.status import Status


def test_a_record_is_read_from_what_its_hash_holds() -> None:
    """Left-out fields have their defaults, large numbers are exact, and a later version's field is passed over."""
    flat = ["id", "x", "status", "job-started", "fence", "1795387454244123", "cancel", "1", "colour", "red"]

    record = codec.record(flat)

    expected = Record("x", Status.STARTED, 0, "", "", "", 0, fence=1795387454244123, cancel=True)
    assert record == expected


def test_an_order_is_read_from_its_hash_with_every_blank_of_its_reason() -> None:
    """Two numbers, then the reason as it was given: none, one with blanks, one with another script's letters."""
    flat = ["w2", "1800000000000 60000  two  words ", "w1", "1800000000001 -1 ", "wö", "1 0 ünï"]

    assert codec.drains(flat) == (
        Drain("w1", "", 1_800_000_000_001, FOREVER),
        Drain("w2", " two  words ", 1_800_000_000_000, 60_000),
        Drain("wö", "ünï", 1, 0),
    )


def test_a_submission_travels_without_its_spec_and_its_defaults() -> None:
    """The spec may be a megabyte; it is an argument of its own, and not escaped twice. Defaults the script knows."""
    twins = frozenset({Status.STARTED, Status.COMPLETED})
    item = Acceptance("x", "d", "SPEC", "gpu", "1s", twins=twins, lost_left=0)

    assert codec.submission(item) == {
        "id": "x",
        "digest": "d",
        "queue": "gpu",
        "shape": "1s",
        "twins": " job-completed job-started ",
        "lost_left": 0,
    }


def test_a_bid_is_json_with_all_its_fields() -> None:
    """Characters outside ASCII stay as they are."""
    bid = Bid("w", ("ünï",), Fit(("1s",), (), ("9s",)), "n", 10_000, 5_000)

    text = codec.bid(bid)

    assert "ünï" in text
    assert json.loads(text) == {
        "worker": "w",
        "queues": ["ünï"],
        "fit": {"now": ["1s"], "empty": [], "never": ["9s"]},
        "nonce": "n",
        "lease_ms": 10_000,
        "reserve_after_ms": 5_000,
    }
