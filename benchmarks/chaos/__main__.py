"""`python -m benchmarks.chaos --engine redis`: one run on an engine of its own, and what it proved."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .places import ENGINES, place_of
from .plan import draw
from .run import Outcome, run

__all__: list[str] = []


def main() -> int:
    """1 when a promise was broken."""
    given = _arguments()
    broken = 0
    for engine in given.engine or ENGINES:
        with place_of(engine) as place, tempfile.TemporaryDirectory(prefix="stem-chaos-") as folder:
            plan = draw(
                given.seed,
                tasks=given.tasks,
                workers=given.workers,
                seconds=given.seconds,
                restarts=place.restart is not None,
            )
            outcome = asyncio.run(run(plan, place, workers=given.workers, limit=given.limit, folder=Path(folder)))
        broken += len(outcome.broken)
        _show(engine, given.seed, outcome)
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, action="append", help="all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=20, help="with a worker killed in each")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds until every task has to have ended")
    return parser.parse_args()


def _show(engine: str, seed: int, outcome: Outcome) -> None:
    print(
        f"{engine}, seed {seed}: {outcome.tasks:,} tasks accepted, {outcome.killed} workers killed, "
        f"{outcome.restarted} restarts of the server; {outcome.crashed} tasks crashed, {outcome.retried} tried again; "
        f"all ended after {outcome.seconds:.0f} s"
    )
    for sentence in outcome.broken[:20]:
        print(f"  BROKEN: {sentence}")
    print("  every promise was kept" if not outcome.broken else f"  {len(outcome.broken)} broken promises")


if __name__ == "__main__":
    sys.exit(main())
