"""Run by the `wheel` session in an environment that holds the built wheel and nothing else; not collected by pytest.

Imports every module of both packages without any extra, starts both commands, and runs the quickstart that it is given.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(sys.executable).parent
DRIVERS = {"stem.testing": "pytest", "stem.adapters.postgres": "asyncpg", "stem.adapters.redis": "redis"}
URLS = {"redis://localhost": "redis", "postgresql://localhost/jobs": "postgres"}


def modules(package: str) -> Iterator[str]:
    """The package and every module in it, but `__main__`, which runs when it is imported."""
    home = importlib.import_module(package)
    yield package
    for found in pkgutil.walk_packages(home.__path__, f"{package}."):
        if not found.name.endswith("__main__"):
            yield found.name


def missing(name: str) -> str | None:
    """The package that a module cannot be imported without; `None` when it can."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        return (error.name or "").split(".")[0]
    return None


def may_need(name: str, found: str) -> bool:
    """Whether a module stands where this driver belongs to an extra."""
    return any(name.startswith(place) and found == driver for place, driver in DRIVERS.items())


def run(*command: str) -> str:
    """What a command prints, run in an empty folder; its errors go where ours go."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def main(quickstart: str) -> None:
    runtime = list(modules("stem"))
    broken = {name: found for name in runtime if (found := missing(name))}
    strays = {name: found for name, found in broken.items() if not may_need(name, found)}
    assert not strays, f"the runtime needs what the wheel does not bring: {strays}"
    assert {name for name in runtime if name.startswith("stem.adapters.")}, "the wheel has no engine"
    assert "Commands" in run(str(SCRIPTS / "stem"), "--help")
    for url, extra in URLS.items():
        refused = subprocess.run([str(SCRIPTS / "stem"), "queues", "ls", "--url", url], capture_output=True, text=True)
        assert f"pip install 'stem-jobs[{extra}]'" in refused.stderr, refused.stderr
    without = subprocess.run([str(SCRIPTS / "stem-build"), "check"], capture_output=True, text=True, timeout=60)
    assert without.returncode != 0
    assert "pip install 'stem-jobs[build]'" in without.stderr, without.stderr
    print(run(sys.executable, quickstart), end="")
    print(f"{len(runtime)} modules of the wheel can be imported, and the quickstart runs")


if __name__ == "__main__":
    main(sys.argv[1])
