"""What it costs to begin: importing stem, its command line, generated definitions, and the quickstart's first result.

python imports.py [--repetitions 11]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from harness import HERE, Row, medians, print_report

EXAMPLES = HERE.parent / "examples"
BARE = "python -c pass"


def to_exit(command: list[str], cwd: Path) -> float:
    """Milliseconds until the command is over. Its output is read, because Python waits for an end alone by polling."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, check=True, timeout=60)
    return (time.perf_counter() - began) * 1000


def to_first_line(command: list[str], cwd: Path) -> float:
    """Milliseconds until the command has printed a line."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), f"{command} printed nothing"
        return (time.perf_counter() - began) * 1000


def named(name: str, measure: Callable[[], float]) -> Mapping[str, float]:
    """One measurement under its name."""
    return {name: measure()}


def measures(folder: Path) -> Mapping[str, Callable[[], float]]:
    """Each thing to begin with, by its name."""
    python, shop = sys.executable, EXAMPLES / "shop"
    quickstart = [python, str(EXAMPLES / "quickstart.py")]
    return {
        BARE: partial(to_exit, [python, "-c", "pass"], folder),
        "import stem": partial(to_exit, [python, "-c", "import stem"], folder),
        "stem --help": partial(to_exit, [str(Path(python).with_name("stem")), "--help"], folder),
        "import definitions": partial(to_exit, [python, "-c", "import shop._stem.definitions"], shop),
        "quickstart's first result": partial(to_first_line, quickstart, folder),
        "quickstart to its end": partial(to_exit, quickstart, folder),
    }


TARGETS = {"import stem": "below 90", "stem --help": "below 150", "import definitions": ""}


def main(repetitions: int) -> None:
    with tempfile.TemporaryDirectory(prefix="stem-bench-") as folder:
        every = measures(Path(folder))
        for warm in every.values():
            warm()
        found = medians(repetitions, *(partial(named, *pair) for pair in every.items()))
    bare = found[BARE]
    limits = {"quickstart's first result": "below 700"}
    rows = [Row(name, value, "ms", bare, limits.get(name, "")) for name, value in found.items()]
    over = [Row(f"{name}, over bare", found[name] - bare, "ms", target=target) for name, target in TARGETS.items()]
    print_report("beginnings", "bare", [*rows, *over])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Milliseconds to begin, over a bare interpreter.")
    parser.add_argument("--repetitions", type=int, default=11, choices=range(1, 101), metavar="1..100")
    main(parser.parse_args().repetitions)
