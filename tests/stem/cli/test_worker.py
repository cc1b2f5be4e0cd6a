"""`stem worker` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenarios.support.waiting import eventually
from tests.stem.cli.conftest import Run

APP = """
import asyncio, gc, os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from stem import Registry, Stem, TaskContext, task

@task(name="shop.add", queue="sums")
async def add(a: int, b: int = 1) -> int:
    return a + b

@task(name="shop.frozen", queue="sums")
async def frozen() -> int:
    return gc.get_freeze_count()

@task(name="shop.hang")
async def hang(ctx: TaskContext) -> None:
    print("hanging", flush=True)
    await asyncio.sleep(3600)

@asynccontextmanager
async def never_ready() -> AsyncIterator[None]:
    print("opening", flush=True)
    try:
        await asyncio.sleep(3600)
        yield
    finally:
        print("closing", flush=True)

registry = Registry.of(add, frozen, hang)
slow = Stem(os.environ.get("STEM_URL"), lifespan=never_ready)
"""


@contextmanager
def worker(url: str, folder: Path, *options: str) -> Generator[subprocess.Popen[str]]:
    (folder / "shop_of_this_test.py").write_text(APP)
    program = [sys.executable, "-c", "from stem.cli.main import main; main()"]
    words = [*program, "worker", "shop_of_this_test:registry", *(options or ("--url", url))]
    started = subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "STEM_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def test_a_worker_serves_the_queues_of_its_registry_and_ends_well_when_told(run: Run, url: str, tmp_path: Path) -> None:
    with worker(url, tmp_path) as process:
        ran = run("enqueue", "shop.add", "a=2", "--app", "shop_of_this_test:registry", "--wait", "--timeout", "30s")
        assert (ran.code, ran.out.strip()) == (0, "3")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_what_a_worker_has_loaded_is_not_looked_through_again(run: Run, url: str, tmp_path: Path) -> None:
    with worker(url, tmp_path):
        ran = run("enqueue", "shop.frozen", "--app", "shop_of_this_test:registry", "--wait", "--timeout", "30s")
        assert int(ran.out) > 10_000


def test_what_is_left_after_the_drain_goes_back_without_using_an_attempt(run: Run, url: str, tmp_path: Path) -> None:
    with worker(url, tmp_path, "--url", url, "--drain", "10ms", "-q", "default:2") as process:
        task_id = run("enqueue", "shop.hang").out.strip()
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    shown = run("jobs", "show", task_id, "--json").json
    assert (shown["state"], shown["attempt"], shown["crashes"]) == ("queued", 0, 0)


def test_probes_are_answered_while_it_works(url: str, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with worker(url, tmp_path, "--url", url, "--probes", "0", "--probe-file", str(ready)) as process:
        assert process.stderr is not None
        address = next(line.split()[1] for line in process.stderr if line.startswith("probes: "))
        asyncio.run(eventually(ready.exists))
        with urllib.request.urlopen(address) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not ready.exists()


@pytest.mark.parametrize("place", ["x", "1:x", "99999"])
def test_an_address_for_probes_that_is_none_says_how_to_write_one(run: Run, place: str) -> None:
    ran = run("worker", "a:b", "--probes", place)
    assert (ran.code, "HOST:PORT" in ran.err) == (2, True)


def test_probes_are_of_one_worker(run: Run) -> None:
    ran = run("worker", "a:b", "--probes", "0", "--processes", "2")
    assert (ran.code, "probes are of one worker" in ran.err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_ends_it_and_closes_what_was_opened(
    number: signal.Signals, url: str, tmp_path: Path
) -> None:
    with worker(url, tmp_path, "--app", "shop_of_this_test:slow") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "opening\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "closing\n")
    assert err.splitlines()[-1] == "stopped before the start was complete"


def test_a_worker_without_a_registry_says_how_to_name_one(run: Run) -> None:
    ran = run("worker")
    assert (ran.code, "shop._stem.registry:registry" in ran.err) == (2, True)


def test_a_worker_of_an_app_that_is_not_there_says_which(run: Run) -> None:
    ran = run("worker", "no_such_module_here:registry")
    assert (ran.code, "no_such_module_here" in ran.err) == (2, True)


def test_a_worker_takes_its_url_from_one_place(run: Run) -> None:
    ran = run("worker", "a:b", "--app", "c:d")
    assert (ran.code, "one of --url and --app" in ran.err) == (2, True)
