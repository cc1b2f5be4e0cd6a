"""What a no-op coroutine task costs the worker's process, with the memory engine: microseconds of CPU.

python benchmarks/worker_overhead.py [tasks] [--profile]
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import time

from stem import Registry, Stem, task
from stem.registry import definition


@task(name="bench.nothing")
async def nothing(number: int) -> int:
    return number


async def drain(count: int, url: str) -> float:
    """Seconds of CPU to drain `count` tasks that were published before: a busy machine does not change them."""
    async with Stem(url) as stem:
        call = definition(nothing).call
        await stem.enqueue_many([call(number) for number in range(count)])
        started = time.process_time()
        async with stem.worker(Registry.of(nothing)) as worker:
            while sum(worker.stats.ended.values()) < count:  # noqa: ASYNC110  # counters set no event
                await asyncio.sleep(0.001)
            return time.process_time() - started


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:] if text.isdigit()]
    count = numbers[0] if numbers else 20_000
    url = next((text for text in sys.argv[1:] if "://" in text), "memory://")
    profile = cProfile.Profile() if "--profile" in sys.argv else None
    if profile is not None:
        profile.enable()
    seconds = asyncio.run(drain(count, url))
    if profile is not None:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    rate, each = count / seconds, seconds / count * 1e6
    print(f"{url}: {count} no-op tasks in {seconds:.2f} s of CPU: {each:.1f} us each, so at most {rate:,.0f}/s")


if __name__ == "__main__":
    main()
