"""`hysds chaos`: torments a system of its own and says whether every guarantee was kept."""

from __future__ import annotations

import json
import random
import signal
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from hysds.chaos import plan as plans
from hysds.chaos.plan import Size
from hysds.chaos.run import Manner, Run
from hysds.cli.exits import Exit

_PATIENCE_S = 60.0
_PATIENCE_PER_JOB_S = 0.3
_PATIENCE_PER_FAULT_S = 15.0


@click.command("chaos", short_help="Torment a system of its own and check every guarantee.")
@click.option(
    "--seed", type=click.IntRange(min=0), help="Repeat the plan of this seed. Default: a random one."
)
@click.option(
    "--jobs", default=150, show_default=True, type=click.IntRange(1, 100_000), help="How many jobs."
)
@click.option(
    "--faults", default=12, show_default=True, type=click.IntRange(0, 10_000), help="How many faults."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 16), help="How many workers.")
@click.option(
    "--slots", default=2, show_default=True, type=click.IntRange(1, 64), help="Slots of each worker."
)
@click.option(
    "--within",
    "within_s",
    type=click.FloatRange(min=1),
    help="Seconds after which jobs that have not ended count as stuck. Default: by the run's size.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where to make the run's home; a short path. Default: the system's directory for temporary files.",
)
@click.option(
    "--keep", is_flag=True, help="Keep the run's home; it is kept anyway where a guarantee was broken."
)
@click.option("--plan", "only_plan", is_flag=True, help="Print the plan as JSON, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Stdout holds the report as JSON alone.")
def command(
    seed: int | None, within_s: float | None, directory: Path | None, keep: bool, only_plan: bool, as_json: bool,
    **size: int,
) -> int:  # fmt: skip
    """Start a system that nobody uses (a Valkey server, workers, an indexer and a reconciler in a new directory),
    submit jobs of many kinds, kill and stop its processes while they run, and then compare all that the ledger told
    with all that the jobs did: each job ended once, each effect is of a live lease, nothing was lost, doubled or left
    behind. Your own system is not touched.

    Which jobs and which faults there are follows from the seed alone. A run of the default size takes about 40 s;
    the load is bounded by the workers' slots. Exit codes: 0 every guarantee was kept, 1 one was broken: then the
    shortest history that shows it is printed, and the run's files are kept.

    \b
        hysds chaos --seed 7 --plan
        hysds chaos --seed 7 --jobs 50 --faults 4
    """
    seed = random.randrange(1 << 32) if seed is None else seed
    plan = plans.make(seed, Size(**size))
    if only_plan:
        click.echo(json.dumps(asdict(plan), indent=2))
        return Exit.COMPLETED
    say = partial(click.echo, err=True)
    home = Path(tempfile.mkdtemp(prefix="hysds-chaos-", dir=directory))
    say(f"seed {seed}; the run's home is {home}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: nothing is left
    report = Run(
        plan, home, Manner(_patience_s(plan.size) if within_s is None else within_s, keep, say)
    ).carry_out()
    click.echo(report.as_json() if as_json else report.text())
    return Exit.COMPLETED if report.is_kept else Exit.FAILED


def _patience_s(size: Size) -> float:
    """Far more than a run takes: what has not ended by then is stuck."""
    return _PATIENCE_S + _PATIENCE_PER_JOB_S * size.jobs + _PATIENCE_PER_FAULT_S * size.faults
