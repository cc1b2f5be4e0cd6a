"""A real PgBouncer before a real server, for tests: it pools transactions, and gives each to whichever is free."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.server_postgres import PATIENCE, run_as
from tests.servers import free_port

__all__ = ["bouncer_before"]

SETTINGS: Final = """
[databases]
* = host=127.0.0.1 port={server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 6
server_round_robin = 1
server_login_retry = 1
query_wait_timeout = 2
{more}
"""
"""Taken in turn, the server's connections are other ones for nearly every transaction: nothing that one keeps helps."""


@contextmanager
def bouncer_before(server: int, *, more: str = "") -> Generator[int]:
    """The port of a PgBouncer before the server on a port; `more` are lines of its settings.

    Skips where there is none on this machine: no package of PyPI brings one, so the gate does not ask for it.
    """
    program = _find()
    if program is None:
        pytest.skip("no pgbouncer on this machine, and PyPI has none: what stands behind one is not tested here")
    folder, port, user = Path(tempfile.mkdtemp(prefix="stem-pgbouncer-")), free_port(), run_as()
    (folder / "users").write_text('"stem" ""\n')
    (folder / "ini").write_text(SETTINGS.format(server=server, port=port, folder=folder, more=more))
    folder.chmod(0o755)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "ini")], stdout=log, stderr=log, user=user)
    try:
        _wait(process, port, folder / "log")
        yield port
    finally:
        process.kill()
        process.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _find() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _listens(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
