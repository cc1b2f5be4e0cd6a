"""Worker processes of a scenario: started, watched, stopped hard or softly, and never left behind."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stem.app import Stem
from tests.scenarios.support.journal import VARIABLE, Journal
from tests.scenarios.support.waiting import eventually

__all__ = ["WorkerProcess", "Yard"]

ROOT = Path(__file__).parents[3]
_COMMAND = "from stem.cli.main import main; main()"


@dataclass(slots=True)
class WorkerProcess:
    """One worker in a process of its own; `name` is what the store knows it by."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """A signal, unless the process has ended."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: nothing of the process runs any more when this returns."""
        self.send(signal.SIGKILL)
        self.process.wait()

    async def exit_code(self, *, within: float = 40.0) -> int:
        """How the process ended by itself."""
        await eventually(lambda: self.is_dead, within=within, what=f"the end of {self.name}: {self.said()[-2000:]}")
        return self.process.returncode

    def said(self) -> str:
        """Everything that it wrote."""
        return self.output.read_text(encoding="utf-8", errors="replace")


@dataclass(slots=True)
class Yard:
    """Starts the workers of one scenario on one store."""

    folder: Path
    url: str
    journal: Journal
    workers: list[WorkerProcess] = field(default_factory=list[WorkerProcess])
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def start(self, *options: str, registry: str = "registry", url: str | None = None) -> WorkerProcess:
        """A worker as users start it, with everything at its default but what is given."""
        where = ("--url", url or self.url) if "--app" not in options else ()
        target = f"tests.scenarios.support.jobs:{registry}"
        return self._spawn("-c", _COMMAND, "worker", target, *where, "--name", self._name(), *options)

    def start_rigged(self, *options: str) -> WorkerProcess:
        """A worker of `rigged.py`: it looks for lost work more often, and can be told where to die."""
        return self._spawn("-m", "tests.scenarios.support.rigged", self.url, self._name(), *options)

    def start_producer(self) -> WorkerProcess:
        """A process of `producer.py`, which waits at the gate."""
        return self._spawn("-m", "tests.scenarios.support.producer", self.url, self._name())

    def freeze(self, worker: WorkerProcess) -> None:
        """SIGSTOP at a moment at which the worker does not hold a file's write lock, which would freeze everybody."""
        while True:
            worker.send(signal.SIGSTOP)
            os.waitid(os.P_PID, worker.pid, os.WSTOPPED)
            if self._can_be_written():
                return
            worker.send(signal.SIGCONT)

    async def ready(self, stem: Stem, *workers: WorkerProcess) -> None:
        """Return when these workers have given a sign of life."""
        names = {worker.name for worker in workers}
        await eventually(lambda: _have_beaten(stem, names), what=f"signs of life of {names}: {self.said()}")

    def replace_dead(self, *options: str) -> None:
        """Start a rigged worker for each one that died."""
        for worker in [worker for worker in self.workers if worker.is_dead]:
            self.workers.remove(worker)
            self.start_rigged(*options)

    def open_gate(self) -> None:
        """Let handlers end that wait for it."""
        self.journal.path.with_suffix(".gate").touch()

    def said(self) -> str:
        """What all workers wrote."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.out")))

    def close(self) -> None:
        """Kill what is left."""
        for worker in self.workers:
            worker.kill()

    def _can_be_written(self) -> bool:
        if not self.url.startswith("sqlite:"):
            return True
        connection = sqlite3.connect(self.folder / "stem.db", timeout=1.0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return True

    def _name(self) -> str:
        return f"worker-{next(self._numbers)}"

    def _spawn(self, *command: str) -> WorkerProcess:
        name = next(word for word in command if word.startswith("worker-"))
        output = self.folder / f"{name}.out"
        environment = {**os.environ, VARIABLE: str(self.journal.path), "STEM_URL": self.url, "NO_COLOR": "1"}
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        worker = WorkerProcess(name, process, output)
        self.workers.append(worker)
        return worker


async def _have_beaten(stem: Stem, names: set[str]) -> bool:
    return names <= {record.heartbeat.worker for record in await stem.inspect.workers()}
