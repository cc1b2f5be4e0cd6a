"""Children end with their worker, however they are."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stem.tasks.envelope import Envelope
from stem.testing import ManualClock
from stem.worker.decide import Judged
from stem.worker.held import Held
from stem.worker.process.apart import apart_of, begin_of, setup_of
from stem.worker.process.pool import Children, Recycling
from tests.stem.worker.process import tasks
from tests.stem.worker.support import delivery, eventually

ORPHANS = """
import asyncio, os
from stem.testing import ManualClock
from stem.worker.process.apart import setup_of
from stem.worker.process.pool import Children, Recycling

async def main() -> None:
    children = Children(setup_of("w", None), most=1, recycling=Recycling(), clock=ManualClock())
    async with children.one() as child:
        print(child.pid, flush=True)
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.fixture
async def children(clock: ManualClock) -> AsyncIterator[Children]:
    made = Children(setup_of("worker-1", tasks.opens), most=1, recycling=Recycling(), clock=clock)
    yield made
    await made.aclose()


async def _warm(children: Children) -> int:
    async with children.one() as child:
        return child.pid


async def test_no_more_children_than_places_and_the_next_one_waits(children: Children) -> None:
    async with children.one() as first:
        waiting = asyncio.ensure_future(_warm(children))
        await asyncio.sleep(0)
        assert children.pids == [first.pid]
    assert await waiting == first.pid


async def test_a_generated_definition_is_used_as_it_is_and_a_cancel_that_came_before_is_known(
    children: Children,
) -> None:
    apart = apart_of(tasks.defined.bind_sync_ctx(tasks.looks))
    held = Held.of(delivery(name="apart.defined"), 0)
    held.request_cancel()
    envelope = Envelope(id="task-1", name="apart.defined", payload=b'{"name":"a","weight":2}')
    async with children.one() as child:
        result = await child.run(begin_of(apart, held, envelope), None)

    assert apart.definition == "tests.stem.worker.process.tasks:defined"
    assert result == b'"a True"'


async def test_a_child_leaves_its_lifespan_when_its_worker_ends(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEM_TEST_CLOSED", str(tmp_path / "closed"))
    made = Children(setup_of("worker-1", tasks.leaves_word), most=1, recycling=Recycling(), clock=clock)
    pid = await _warm(made)
    await made.aclose()

    assert (tmp_path / "closed").read_text() == str(pid)


async def test_a_stopped_child_does_not_hold_up_the_end_of_its_worker(children: Children, clock: ManualClock) -> None:
    pid = await _warm(children)
    os.kill(pid, signal.SIGSTOP)
    closing = asyncio.ensure_future(children.aclose())
    await clock.run_for(4)
    assert not closing.done()
    await clock.run_for(1)
    await closing

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_that_died_idle_is_replaced(children: Children) -> None:
    pid = await _warm(children)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: children.pids == [])

    assert await _warm(children) != pid


async def test_a_child_that_cannot_start_says_why(clock: ManualClock) -> None:
    broken = Children(setup_of("worker-1", tasks.cannot_open), most=1, recycling=Recycling(), clock=clock)
    with pytest.raises(Judged) as caught:
        await _warm(broken)
    await broken.aclose()

    assert "exit code 1" in caught.value.fault.failure.message
    assert "no database here" in caught.value.fault.failure.traceback


def test_children_die_with_their_worker() -> None:
    orphaned = subprocess.run([sys.executable, "-c", ORPHANS], capture_output=True, text=True, timeout=60)
    pid = int(orphaned.stdout)

    assert orphaned.returncode == -signal.SIGKILL
    while _lives(pid):
        pass


def _lives(pid: int) -> bool:
    """Until nobody has reaped it, what died is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
