"""The benchmarks run, and say what they found; what that is, is no matter of right and wrong."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_beginnings_are_printed_as_a_table_and_then_as_one_line_of_json() -> None:
    *table, last = run("benchmarks/imports.py", "--repetitions", "1").splitlines()
    name = "quickstart's first result"
    assert json.loads(last)["numbers"][name]["value"] > 0
    assert [line for line in table if line.startswith(name)]


def test_every_measure_of_the_comparison_with_peers_is_taken_of_stem_alone() -> None:
    amounts = ("--count", "300", "--repetitions", "1", "--samples", "3", "--round-trips", "100")
    (stem,) = json.loads(run("-m", "benchmarks.peers", "--engine", "sqlite", "--alone", *amounts, "--json"))["findings"]
    assert stem["failure"] == ""
    assert set(stem["numbers"]) == {"enqueue", "drain", "round-trips", "latency p50", "latency p99"}
    assert all(number["median"] > 0 for number in stem["numbers"].values())
