"""A queue is paused, everybody goes, and others come."""

from __future__ import annotations

from datetime import timedelta

from stem import Registry, Stem
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import QUICK, quick

__all__ = ["assert_paused_until_resumed", "pause"]

SOON = timedelta(seconds=20)


async def pause(url: str) -> str:
    """Pause the queue `default`, leave a task in it, and go; its id."""
    async with Stem(url) as stem:
        await stem.operate.pause("default", reason="the bank is closed")
        return (await QUICK.enqueue(stem, 7)).id


async def assert_paused_until_resumed(url: str, task_id: str) -> None:
    """A new worker leaves the task alone, though it works, until somebody resumes the queue."""
    async with Stem(url) as stem, stem.worker(Registry.of(quick), queues=("default", "other")):
        assert await QUICK.options(queue="other").enqueue_and_wait(stem, 1) == 1
        handle = QUICK.handle(stem, task_id)
        assert (await handle.status()).state is TaskState.QUEUED
        assert [(found.queue, found.reason) for found in await stem.operate.pauses()] == [
            ("default", "the bank is closed")
        ]
        await stem.operate.resume("default")
        assert await handle.result(timeout=SOON) == 7
