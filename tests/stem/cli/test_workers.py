"""`stem workers` and what `stem jobs` does to a task."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from stem import Registry, Stem, task
from stem.cli.exits import Exit
from tests.stem.cli.conftest import Run, bury, enqueue


@task(name="shop.a")
async def shop_a(n: int) -> int:
    return n


@contextmanager
def working(url: str, *names: str) -> Generator[None]:
    """Workers of these names in a thread of their own, as other processes would be."""
    ready, over = threading.Event(), threading.Event()

    async def work() -> None:
        async with Stem(url) as stem:
            workers = [stem.worker(Registry.of(shop_a), queues=("idle",), name=name) for name in names]
            for worker in workers:
                await worker.__aenter__()
            ready.set()
            await asyncio.to_thread(over.wait)
            for worker in workers:
                await worker.__aexit__()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        over.set()
        thread.join()


def test_workers_are_listed_pinged_and_drained(run: Run, url: str) -> None:
    with working(url, "web-1", "web-2"):
        listed = run("workers", "ls").out
        pinged = run("workers", "ping", "--json").json
        drained = run("workers", "drain", "web-1")
    assert "web-1" in listed
    assert pinged["workers"] == [
        {"worker": "web-1", "busy": 0, "stopping": False, "error": None},
        {"worker": "web-2", "busy": 0, "stopping": False, "error": None},
    ]
    assert (drained.code, drained.out.splitlines()[1].split("\t")) == (0, ["web-1", "0", "true"])


def test_a_worker_that_is_gone_ends_in_three_and_says_what_to_do(run: Run) -> None:
    ran = run("workers", "ping", "gone", "--timeout", "10ms")
    assert (ran.code, "no worker of that name" in ran.err) == (3, True)


@pytest.mark.parametrize("arguments", [("stop",), ("drain",), ("stop", "web-1", "--all")])
def test_stopping_asks_for_names_or_for_all(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("workers", *arguments).code == 2


def test_nobody_to_ask_is_no_error(run: Run) -> None:
    assert run("workers", "inspect").code == 0


def test_a_job_is_cancelled_and_retried(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    assert run("jobs", "cancel", task_id, "--json").json["state"] == "cancelled"
    assert run("jobs", "retry", task_id, "--json").json["state"] == "queued"


def test_a_job_that_did_not_fail_is_not_retried(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    assert run("jobs", "retry", task_id).code == 1


def test_a_dead_letter_is_retried_with_a_delay(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    assert run("jobs", "retry", task_id, "--delay", "1h").code == 0
    assert "delayed until" in run("why", task_id).out


def test_an_id_is_revoked_and_the_revocation_taken_back(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    assert run("jobs", "revoke", task_id, "unknown", "--reason", "mistake").code == 0
    assert run("jobs", "show", task_id, "--json").json["state"] == "cancelled"
    assert run("jobs", "revoke", task_id, "--undo").code == 0


def test_what_a_glob_of_names_matches_is_revoked_with_all(run: Run, url: str) -> None:
    first, second = enqueue(url, "shop.a", "mail.a")
    assert run("jobs", "revoke", "--all", "--name", "shop.*", "--dry-run").out.strip().endswith("1")
    assert run("jobs", "revoke", "--all", "--name", "shop.*", "--yes").code == 0
    states = [run("jobs", "show", task_id, "--json").json["state"] for task_id in (first, second)]
    assert states == ["cancelled", "queued"]


def test_nothing_is_revoked_without_a_yes(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    assert run("jobs", "revoke", "--all").code == Exit.REFUSED
    assert run("jobs", "show", task_id, "--json").json["state"] == "queued"


@pytest.mark.parametrize("arguments", [(), ("some-id", "--all"), ("--all", "--undo")])
def test_revoking_asks_for_ids_or_for_all(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("jobs", "revoke", *arguments).code == 2
