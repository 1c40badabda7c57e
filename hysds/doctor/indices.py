"""Whether the store's indices are what the ledger says they are, and somebody looks after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.core.generations import Generations
from hysds.lib import units
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.indices import ROLLED, Index

_FAR_OVER = 1.5
_RECONCILER = "only a reconciler does that, and one must reach the store: hysds reconciler"


def check(known: Generations, found: Sequence[Index], rollover_bytes: int) -> Iterator[Finding]:
    """What the numbers say; nothing of a store that nothing was written to yet."""
    rolled = [one for one in found if one.resource in ROLLED]
    if not rolled:
        return
    there = {one.generation for one in rolled}
    missing = [number for number in range(known.oldest, known.current + 1) if number not in there]
    if missing:
        shown = ", ".join(map(str, missing[:5]))
        yield findings.warning(
            "store.missing-index",
            f"there is no index of generation {shown}: its documents are lost",
            "store",
            "put them back: hysds index rebuild; then compare: hysds index verify",
        )
    left = sorted(number for number in there if known.is_dropped(number))
    if left:
        yield findings.note(
            "store.dropping", f"indices of {units.counted(len(left), 'old generation')} are still to be dropped",
            "store", _RECONCILER,
        )  # fmt: skip
    largest = max((one.size_bytes for one in rolled if one.generation == known.current), default=0)
    if largest > _FAR_OVER * rollover_bytes:
        yield findings.warning(
            "store.not-rolled",
            f"the current indices hold {units.format_size(largest)}, and should have been followed by new ones at "
            f"{units.format_size(rollover_bytes)}",
            "store",
            _RECONCILER,
        )
