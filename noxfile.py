"""The gate. `nox` alone runs every session; `nox -s NAME` runs one.

Everything a session needs is installed from the project's own files, so a machine with Python 3.11 and nox is enough.
A Python version that is not there is said and left out; it is an error nowhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
SUPPORTED = ("3.11", "3.12", "3.13")
CORE = (
    "tests/stem/tasks",
    "tests/stem/client",
    "tests/stem/worker",
    "tests/contracts/test_memory.py",
    "tests/contracts/test_sqlite.py",
    "tests/stem_builder",
)
"""What is run on the newest Python, too: what the code itself does, on the engines that need no server."""
PROJECT = nox.project.load_toml("pyproject.toml")

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "generated", "docs", "examples", "wheel", "demo", "tests"]


def _runs(python: str, version: str) -> bool:
    """Whether this command starts a Python of this version (a version manager's shim may exist and still refuse)."""
    probe = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        answer = subprocess.run(probe, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def _candidates(version: str) -> list[Path]:
    """Where a Python of this version may be: on PATH, behind a shim, or among pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    found = [Path(on_path)] if on_path else []
    return found + sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"), reverse=True)


def _find(version: str) -> Path | None:
    """The first command that really starts this version."""
    return next((python for python in _candidates(version) if _runs(str(python), version)), None)


def _present() -> list[str]:
    """The supported versions of this machine, each made the first of its name on PATH; the missing ones are said."""
    found = {version: _find(version) for version in SUPPORTED}
    for version, python in found.items():
        if python is None:
            print(f"noxfile: no Python {version} on this machine; its sessions are left out", file=sys.stderr)
        elif shutil.which(f"python{version}") != str(python):
            os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return [version for version, python in found.items() if python is not None]


PYTHONS = _present()
DEFAULT = PYTHONS[0] if PYTHONS else None


def _install(session: nox.Session, *groups: str, extras: str = "build,redis,postgres,uvloop,yaml,dev") -> None:
    """The project, editable, with the extras that the tests need and these dependency groups."""
    requirements = nox.project.dependency_groups(PROJECT, *groups)
    session.install("--quiet", "--editable", f".[{extras}]", *requirements)


def _pytest(session: nox.Session, *arguments: str) -> None:
    session.run("python", "-m", "pytest", "-q", *arguments, *session.posargs)


@nox.session(python=DEFAULT)
def lint(session: nox.Session) -> None:
    """Formatting and the rules of pyproject.toml, on everything that a person writes."""
    _install(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session(python=DEFAULT)
def types(session: nox.Session) -> None:
    """mypy and pyright, both strict, over both packages, the tests, the examples and the benchmarks."""
    _install(session, "test")
    session.run("mypy")
    for folder in [*_example_folders(), ROOT / "benchmarks"]:
        with session.chdir(folder):
            session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"), ".")
    session.run("mypy", "examples/quickstart.py")
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session(python=sorted({*PYTHONS[:1], *PYTHONS[-1:]}))
def tests(session: nox.Session) -> None:
    """The whole suite on the oldest Python of this machine, the core of it on the newest.

    A server that cannot be started is a failure here, not a skip. Two files at a time: most of a test is waiting. The
    scenarios, of which three wait at a time, come last and by themselves, because they watch how soon others go on
    when a process dies. The pages of the documentation have a session of their own.
    """
    _install(session, "test")
    session.env["STEM_TEST_REQUIRE_SERVERS"] = "1"
    two_at_a_time = ("-n", "2", "--dist", "loadfile", "--ignore", "tests/test_documented.py")
    if session.python != DEFAULT:
        _pytest(session, *two_at_a_time, "-m", "not slow and not server", *CORE)
        return
    _pytest(session, *two_at_a_time, "--ignore", "tests/scenarios")
    _pytest(session, "-n", "3", "--dist", "loadfile", "tests/scenarios")


@nox.session(python=DEFAULT)
def postgres(session: nox.Session) -> None:
    """What concerns PostgreSQL, on the one whose programs are in the folder `STEM_TEST_POSTGRES_BIN`.

    No part of the gate, which has one version: it is for those that an environment does not bring.
    """
    programs = os.environ.get("STEM_TEST_POSTGRES_BIN")
    if not programs:
        session.error("STEM_TEST_POSTGRES_BIN has to name a folder with initdb and postgres")
    _install(session, "test")
    session.env["STEM_TEST_REQUIRE_SERVERS"] = "1"
    session.env["STEM_TEST_POSTGRES_URL"] = ""  # a server that runs would be used before these programs
    session.run(str(Path(programs) / "postgres"), "--version", external=True)
    _pytest(session, "-k", "postgres", "tests/contracts", "tests/stem/adapters/postgres", "tests/scenarios")


@nox.session(python=DEFAULT)
def generated(session: nox.Session) -> None:
    """What stem-build wrote is what it would write now, in every example that has generated code."""
    _install(session)
    for project in _example_projects():
        session.run("stem-build", "check", "--project", str(project))


def _example_folders() -> list[Path]:
    """The example folders that are projects of their own."""
    return sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))


def _example_projects() -> list[Path]:
    """The example folders with a `pyproject.toml` that asks for generated code."""
    return [
        project for project in _example_folders() if "[tool.stem.build]" in (project / "pyproject.toml").read_text()
    ]


@nox.session(python=DEFAULT)
def docs(session: nox.Session) -> None:
    """The code in the README and in docs/ runs, and every link between the pages leads somewhere."""
    _install(session, "test")
    _pytest(session, "tests/test_documented.py")


@nox.session(python=DEFAULT)
def wheel(session: nox.Session) -> None:
    """The wheel alone, in an empty environment: every module, the commands, and the quickstart."""
    dist = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install("--quiet", "build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(dist), "--installer", "pip", silent=True)
    (built,) = dist.glob("*.whl")
    clean = Path(session.create_tmp()).resolve() / "clean"
    shutil.rmtree(clean, ignore_errors=True)
    session.run("python", "-m", "venv", str(clean))
    python = str(clean / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(built), external=True)
    session.run(
        python, "-I", str(ROOT / "tests" / "smoke_wheel.py"), str(ROOT / "examples" / "quickstart.py"), external=True
    )


@nox.session(python=DEFAULT)
def examples(session: nox.Session) -> None:
    """Every example runs alone, in an empty folder, with nothing but the runtime installed.

    The adapter among them is installed as a package, found by its entry point and proven by the public suite.
    """
    session.install("--quiet", "--editable", ".")
    empty = Path(session.create_tmp()).resolve() / "empty"
    for script in sorted(ROOT.glob("examples/*.py")):
        shutil.rmtree(empty, ignore_errors=True)
        empty.mkdir()
        with session.chdir(empty):
            session.run("python", str(script))
    _install(session, "test")
    session.install("--quiet", "--no-deps", "--editable", "examples/custom_adapter")
    with session.chdir(ROOT / "examples" / "custom_adapter"):
        session.run("python", "-m", "pytest", "-q")


@nox.session(python=DEFAULT)
def demo(session: nox.Session) -> None:
    """The shop: a producer and workers as processes of their own, on one SQLite file."""
    session.install("--quiet", "--editable", ".")
    session.run("python", "examples/shop/demo.py")
