"""Several processes on one file: nothing is lost, nothing is given twice, and a kill leaves every change whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from stem.contracts.store import Store
from stem.tasks.state import TaskState
from stem.testing.contracts import Bench

WORK = """
import asyncio, json, sys
from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Settle
from stem.contracts.store import LeaseRequest
from stem.ids import new_id
from stem.tasks.state import TaskEvent
from stem.testing.contracts import publish

async def produce(store, name, batches):
    for batch in range(batches):
        changes = [Change((publish(id=f"{name}-{batch}-{n}", priority=n % 3),)) for n in range(10)]
        assert await store.commit(changes) == [APPLIED] * 10

def end(delivery):
    follow_up = publish(id="next-" + delivery.fence.task_id, queue="next")
    return Change((Settle(TaskEvent.SUCCEEDED, delivery.body), follow_up), delivery.fence)

async def consume(store, name, seen):
    idle = 0
    while idle < 20:
        answer = await store.lease(LeaseRequest(
            request_id=new_id(), worker=name, fingerprint="f", queues={"default": 1}, limit=7, started=7))
        seen += [d.fence.task_id for d in answer.deliveries]
        ends = [end(delivery) for delivery in answer.deliveries]
        assert await store.commit(ends) == [APPLIED] * len(ends)
        idle = 0 if ends else idle + 1
        await asyncio.sleep(0 if ends else 0.02)

async def main(url, name, batches):
    store = await open_store(url, StoreOptions())
    seen = []
    print("ready", flush=True)
    await asyncio.gather(produce(store, name, batches), consume(store, name, seen))
    await store.aclose()
    print(json.dumps(seen), flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def start(database: Path, name: str, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORK, f"sqlite:///{database}", name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_two_processes_that_publish_and_lease_at_once_lose_nothing_and_double_nothing(
    store: Store, bench: Bench, database: Path
) -> None:
    workers = [start(database, name, 15) for name in ("one", "two")]
    outputs = [worker.communicate(timeout=60)[0].splitlines() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    seen = Counter(task for output in outputs for task in json.loads(output[-1]))
    published = {f"{name}-{batch}-{n}" for name in ("one", "two") for batch in range(15) for n in range(10)}
    assert seen == Counter(published)
    records = await bench.everything()
    assert {records[task].state for task in published} == {TaskState.SUCCEEDED}
    assert all(records[task].result == records[task].envelope for task in published)
    assert {f"next-{task}" for task in published} == records.keys() - published


async def test_a_process_killed_in_the_middle_of_its_commits_leaves_each_change_whole(
    store: Store, bench: Bench, database: Path
) -> None:
    for attempt in range(4):
        await _kill_after(start(database, f"killed-{attempt}", 10_000), store, records=(attempt + 1) * 40)
    records = await bench.everything()
    ended = {task for task, record in records.items() if record.state is TaskState.SUCCEEDED}
    assert ended
    assert {task for task in records if task.startswith("next-")} == {f"next-{task}" for task in ended}
    assert all(records[task].result == records[task].envelope for task in ended)
    batches = Counter(task.rsplit("-", 1)[0] for task in records if task.startswith("killed"))
    assert set(batches.values()) == {10}


async def _kill_after(process: subprocess.Popen[str], store: Store, *, records: int) -> None:
    assert process.stdout is not None
    process.stdout.readline()
    while sum((await store.task_names()).values()) < records:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
