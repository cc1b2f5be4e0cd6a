"""The benchmarks run, and end with one line of JSON; what they find is no matter of right and wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["throughput.py", "--tasks", "300", "--repetitions", "1", "--without-huey"], "stem drain"),
        (["latency.py", "--samples", "3", "--without-huey"], "stem result p50"),
        (["imports.py", "--repetitions", "1"], "quickstart's first result"),
    ],
    ids=["throughput", "latency", "imports"],
)
def test_a_benchmark_prints_a_table_and_then_its_numbers(arguments: list[str], number: str, tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / arguments[0]), *arguments[1:]]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90)
    assert run.returncode == 0, run.stdout + run.stderr
    *table, last = run.stdout.splitlines()
    assert json.loads(last)["numbers"][number]["value"] > 0
    assert [line for line in table if line.startswith(number)]
