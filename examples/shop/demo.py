"""The whole shop in one command: two worker processes and a producer on one SQLite file, started, checked, stopped.

    python demo.py [--keep FOLDER]

Everything is written into a temporary folder, or into FOLDER, which stays. Exits with 1 when anything is off.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEM = str(Path(sys.executable).with_name("stem"))
WORKERS = 2


def main(keep: Path | None) -> int:
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stem-shop-")))
        return run((folder / "demo").resolve())


def run(folder: Path) -> int:
    """Run the shop in this folder, which must be new, and say what was off."""
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder / 'shop.db'}"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("STEM_")}
    environment = {**plain, "STEM_URL": url, "SHOP_INVOICES": str(folder / "invoices")}
    print(f"One producer and {WORKERS} workers, three processes on one file: {url}\n", flush=True)
    began = time.perf_counter()
    found: list[str] = []
    with workers(folder, environment) as running:
        found += produce(folder, environment)
    found += [f"a worker exited with {worker.returncode}" for worker in running if worker.returncode]
    if found:
        print("\n".join([*log_ends(folder), *(f"OFF: {line}" for line in found)]))
        return 1
    print(f"Everything as it should be, in {time.perf_counter() - began:.1f} s.")
    return 0


def produce(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Run the producer; what was off with it, or with the dead letters when it was through."""
    numbers = folder / "numbers.json"
    command = [sys.executable, "produce.py", "--json", str(numbers)]
    produced = subprocess.run(command, cwd=HERE, env=environment, timeout=100, check=False)  # noqa: S603 - our own
    if produced.returncode:
        return [f"the producer exited with {produced.returncode}"]
    refused = json.loads(numbers.read_text(encoding="utf-8"))["refused"]
    return [] if dead_letters(environment) == refused else ["the dead letters are not the refused charges"]


@contextmanager
def workers(folder: Path, environment: Mapping[str, str]) -> Generator[list[subprocess.Popen[bytes]]]:
    """Workers as a user starts them, with their logs in the folder; asked to stop at the end, and waited for."""
    command = [STEM, "worker", "-q", "billing", "-q", "documents"]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(1, WORKERS + 1):
            with (folder / f"worker-{number}.log").open("wb") as log:
                started.append(subprocess.Popen(command, cwd=HERE, env=environment, stdout=log, stderr=log))  # noqa: S603 - our own
        yield started
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait(timeout=40)


def log_ends(folder: Path) -> list[str]:
    """The last lines of each worker's log, for when something is off."""
    logs = sorted(folder.glob("worker-*.log"))
    return [line for log in logs for line in [f"{log.name}:", *log.read_text(encoding="utf-8").splitlines()[-10:]]]


def dead_letters(environment: Mapping[str, str]) -> list[str]:
    """The ids in the dead letters, as the command line tells them."""
    listed = subprocess.run(  # noqa: S603 - our own command
        [STEM, "dlq", "ls", "--json", "--limit", "500"], cwd=HERE, env=environment, capture_output=True, check=True
    )
    return sorted(letter["id"] for letter in json.loads(listed.stdout)["dead_letters"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the shop: workers, producer, checks.")
    parser.add_argument("--keep", type=Path, help="a folder for the database, the logs and the invoices")
    sys.exit(main(parser.parse_args().keep))
