"""Stem, with default settings on every engine."""

import asyncio

from benchmarks.peers.inside import run, url
from benchmarks.peers.marks import mark
from stem import Registry, Stem, TaskHandle, definition, task

STEM = Stem(url())


@task(name="noop")
async def noop(number: int) -> int:
    mark(number)
    return number


NOOP = definition(noop)


async def start() -> None:
    await STEM.__aenter__()


async def enqueue(number: int) -> TaskHandle[int]:
    return await NOOP.enqueue(STEM, number)


async def result(job: TaskHandle[int]) -> int:
    return await job.result()


def work() -> None:
    run(_work())


async def _work() -> None:
    async with STEM, STEM.worker(Registry.of(noop)):
        await asyncio.Event().wait()
