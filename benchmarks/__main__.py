"""Runs benchmarks one after the other and prints a row each; see `--help` for their names.

Exit codes: 0 when all ran, whatever they found; 1 when one could not run; 2 for a name that there is not.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence

from benchmarks.catalogue import BENCHMARKS, Benchmark
from benchmarks.row import HEADER


def main(arguments: Sequence[str]) -> int:
    """Run what the command line names, all if it names none; answers the exit code."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    if not asked.json:
        print(HEADER, flush=True)
    chosen = [item for item in BENCHMARKS if item.name in asked.names or not (asked.names or item.is_long)]
    ran = [_show(item, asked.json) for item in chosen]
    return 0 if all(ran) else 1


def _parser() -> argparse.ArgumentParser:
    width = max(len(item.name) for item in BENCHMARKS)
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measure HySDS beside a peer or a floor, in turn, in one run. Figures are medians.",
        epilog="\n".join(f"{item.name:<{width}}  {item.sentence}" for item in BENCHMARKS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", metavar="NAME", nargs="*", type=_name, help="which to run; default: all but the long ones"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line, with the raw samples of both sides"
    )
    return parser


def _name(text: str) -> str:
    names = [item.name for item in BENCHMARKS]
    if text not in names:
        raise argparse.ArgumentTypeError(f"there is no benchmark {text!r}; there are {', '.join(names)}")
    return text


def _show(benchmark: Benchmark, as_json: bool) -> bool:
    """Whether it could run."""
    try:
        row = benchmark.run()
    except Exception:  # noqa: BLE001  the outer shell: the others still run
        print(f"benchmark {benchmark.name} could not run:", file=sys.stderr)
        traceback.print_exc()
        return False
    print(row.json() if as_json else row.line(), flush=True)
    return True


def _leave(*_: object) -> None:
    """SIGTERM ends the run in order: what was started is ended on the way out."""
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
