"""How many tasks per second: enqueued by 100 concurrent callers, and drained by one worker process, on SQLite.

python throughput.py [--tasks 20000] [--repetitions 3] [--concurrency 100] [--without-huey]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness import Row, medians, print_report, python
from noop import NOOP
from peer_huey import Times, has_huey, open_huey

from stem import Stem
from stem.contracts.queries import TaskFilter

CALLERS = 100
PATIENCE = 60


def measure_stem(tasks: int, concurrency: int) -> Mapping[str, float]:
    """Fill an empty database, then drain it: from a worker that is up to the last stored result."""
    with tempfile.TemporaryDirectory(prefix="stem-bench-") as folder:
        url = f"sqlite:///{folder}/stem.db"
        enqueued = asyncio.run(_enqueue(url, tasks))
        with python("noop.py", url, str(tasks), str(concurrency)) as worker:
            output, _ = worker.communicate(timeout=PATIENCE)
        asyncio.run(_check(url, tasks))
    return {"stem enqueue": tasks / enqueued, "stem drain": tasks / float(output.split()[-1])}


async def _enqueue(url: str, tasks: int) -> float:
    async def caller(first: int) -> None:
        for number in range(first, tasks, CALLERS):
            await NOOP.enqueue(stem, number)

    async with Stem(url) as stem:
        began = time.perf_counter()
        await asyncio.gather(*(caller(first) for first in range(CALLERS)))
        return time.perf_counter() - began


async def _check(url: str, tasks: int) -> None:
    """Every task has its result in the store, or the numbers mean nothing."""
    async with Stem(url) as stem:
        results = [record.result async for record in stem.inspect.every_task(TaskFilter())]
    assert len([result for result in results if result is not None]) == len(results) == tasks


def measure_huey(tasks: int) -> Mapping[str, float]:
    """The same with huey: one caller, which is its fastest way, and the time from its first to its last call."""
    with tempfile.TemporaryDirectory(prefix="stem-bench-") as folder:
        file = Path(folder) / "huey.db"
        _, noop = open_huey(file, Times())
        began = time.perf_counter()
        for number in range(tasks):
            noop(number)
        enqueued = time.perf_counter() - began
        with python("peer_huey.py", str(file), str(tasks)) as worker:
            output, _ = worker.communicate(timeout=PATIENCE)
        drained = json.loads(output.splitlines()[-1])
    assert drained["results"] == tasks, f"huey stored {drained['results']} results"
    return {"huey enqueue": tasks / enqueued, "huey drain": tasks / drained["seconds"]}


def main(options: argparse.Namespace) -> None:
    measures: list[Callable[[], Mapping[str, float]]] = [lambda: measure_stem(options.tasks, options.concurrency)]
    if not options.without_huey and has_huey():
        measures.append(lambda: measure_huey(options.tasks))
    found = medians(options.repetitions, *measures)
    targets = {"stem enqueue": "at least 25,000", "stem drain": "at least 12,000"}
    rows = [
        Row(name, value, "/s", found.get(name.replace("stem", "huey")), targets.get(name, ""))
        for name, value in sorted(found.items(), key=lambda pair: pair[0], reverse=True)
    ]
    print_report("throughput", "huey", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Tasks per second on SQLite.")
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--without-huey", action="store_true")
    main(parser.parse_args())
