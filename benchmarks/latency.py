"""How long one task takes through an idle system: from the call of enqueue to its result, across two processes.

python latency.py [--samples 200] [--without-huey]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from harness import Row, percentile, print_report, python, wait_until_ready
from noop import NOOP
from peer_huey import Noop, Times, has_huey, open_huey

from stem import Stem

WARM_UP = 10
GAP = 0.005
MOST_SECONDS = 60.0


def measure_stem(samples: int) -> tuple[list[float], list[float]]:
    """Milliseconds until a task was accepted, and until its result was there."""
    with tempfile.TemporaryDirectory(prefix="stem-bench-") as folder:
        url = f"sqlite:///{folder}/stem.db"
        with python("noop.py", url, str(samples + WARM_UP), "100") as worker:
            wait_until_ready(worker)
            return asyncio.run(_sample(url, samples))


async def _sample(url: str, samples: int) -> tuple[list[float], list[float]]:
    accepted: list[float] = []
    answered: list[float] = []
    async with asyncio.timeout(MOST_SECONDS), Stem(url) as stem:
        for number in range(samples + WARM_UP):
            await asyncio.sleep(GAP)
            began = time.perf_counter()
            handle = await NOOP.enqueue(stem, number)
            accepted.append((time.perf_counter() - began) * 1000)
            await handle.result()
            answered.append((time.perf_counter() - began) * 1000)
    return accepted[WARM_UP:], answered[WARM_UP:]


def measure_huey(samples: int) -> list[float]:
    """The same with huey and the polling that it comes with; fewer samples, because each takes so long."""
    with tempfile.TemporaryDirectory(prefix="stem-bench-") as folder:
        file = Path(folder) / "huey.db"
        _, noop = open_huey(file, Times())
        with python("peer_huey.py", str(file), str(samples)) as worker:
            wait_until_ready(worker)
            return [_round_trip(noop, number) for number in range(samples)]


def _round_trip(noop: Noop, number: int) -> float:
    time.sleep(GAP)
    began = time.perf_counter()
    noop(number).get(blocking=True)
    return (time.perf_counter() - began) * 1000


def main(options: argparse.Namespace) -> None:
    accepted, answered = measure_stem(options.samples)
    compared = not options.without_huey and has_huey()
    huey = measure_huey(min(options.samples, 50)) if compared else []
    base50, base99 = (percentile(huey, share) if huey else None for share in (0.5, 0.99))
    rows = [
        Row("stem accepted p50", percentile(accepted, 0.5), "ms"),
        Row("stem accepted p99", percentile(accepted, 0.99), "ms"),
        Row("stem result p50", percentile(answered, 0.5), "ms", base50, "below 4"),
        Row("stem result p99", percentile(answered, 0.99), "ms", base99),
    ]
    if huey:
        rows += [Row(f"huey result p{name}", percentile(huey, share), "ms") for name, share in ((50, 0.5), (99, 0.99))]
    print_report("latency, idle", "huey", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Milliseconds from enqueue to result, across two processes.")
    parser.add_argument("--samples", type=int, default=200, choices=range(1, 2001), metavar="1..2000")
    parser.add_argument("--without-huey", action="store_true")
    main(parser.parse_args())
