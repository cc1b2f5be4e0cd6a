"""A producer in a process of its own: `python -m tests.scenarios.support.producer URL NAME` waits at the gate.

Then it enqueues a task under each of `KEYS`, all at once.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from stem import Stem
from tests.scenarios.support.jobs import WORK, gate
from tests.scenarios.support.waiting import eventually

__all__ = ["KEYS", "stands_ready"]

KEYS = [f"key-{number}" for number in range(40)]


def stands_ready(name: str) -> Path:
    """The file by which a producer says that it waits at the gate."""
    return gate().with_suffix(f".{name}")


async def produce(url: str, name: str) -> None:
    """Enqueue when the gate opens."""
    async with Stem(url) as stem:
        await stem.inspect.now()
        stands_ready(name).touch()
        await eventually(gate().exists)
        await asyncio.gather(*(WORK.options(unique_key=key).enqueue(stem, 0.0) for key in KEYS))


if __name__ == "__main__":
    asyncio.run(produce(*sys.argv[1:3]))
