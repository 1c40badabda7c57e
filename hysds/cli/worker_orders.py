"""`hysds worker drain` and `hysds worker resume`: orders to workers, wherever they run."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import offers
from hysds.cli.words import clean
from hysds.core import moments
from hysds.core.floor_requests import Drain
from hysds.core.record import FOREVER
from hysds.lib import units
from hysds.sdk.client import Client

_FOREVER = "forever"


class Within(click.ParamType[float | None]):
    """A duration in seconds, or None for `forever`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Seconds."""
        if value is None or value == _FOREVER:
            return None
        try:
            return units.parse_duration(value)
        except ValueError as error:
            self.fail(f"{error}; or {_FOREVER}", param, ctx)


@click.command("drain", short_help="Have a worker take no more jobs.")
@click.argument("name", shell_complete=offers.workers)
@click.option(
    "--within",
    metavar="DURATION|forever",
    type=Within(),
    default=_FOREVER,
    show_default=True,
    help="How long running jobs may go on; then they are stopped, and others run them again.",
)
@click.option(
    "--reason", help="Why, for whoever looks at the worker. Default: as the order that stands says."
)
@click.option("--wait", is_flag=True, help="Return when nothing runs there any more.")
def drain(name: str, within: float | None, reason: str | None, wait: bool) -> None:
    """Have the worker NAME (w1, or celery@w1) take no more jobs. Those that run there go on until they end, or for as
    long as --within says; what is stopped then loses no attempt. The order stands until `hysds worker resume`, also
    when the worker is started anew.

    \b
        hysds worker drain w1 --reason 'new kernel'
        hysds worker drain w1 --within 10m --wait
    """
    with Client() as client:
        order = client.drain(name, reason, within)
        held = sum(len(worker.held) for worker in client.workers() if worker.name == order.name)
        click.echo(_told(order, held))
        if wait:
            client.await_idle(order.name)
            click.echo(f"nothing runs on {clean(order.name)}")


@click.command("resume", short_help="Have a drained worker take jobs again.")
@click.argument("name", shell_complete=offers.workers)
def resume(name: str) -> None:
    """Have the worker NAME take jobs again.

    \b
        hysds worker resume w1
    """
    with Client() as client:
        full, was_drained = client.resume(name)
    click.echo(f"{clean(full)} takes jobs again" if was_drained else f"{clean(full)} was not drained")


def _told(order: Drain, held: int) -> str:
    text = f"{clean(order.name)} is drained: it takes no more jobs until `hysds worker resume {clean(order.name)}`"
    if not held:
        return f"{text}; nothing runs there"
    jobs = "1 job runs there and may go on" if held == 1 else f"{held} jobs run there and may go on"
    until = "until it ends" if held == 1 else "until they end"
    if order.within_ms != FOREVER:
        until = f"until {moments.iso(order.since_ms + order.within_ms)}"
    return f"{text}; {jobs} {until}"
