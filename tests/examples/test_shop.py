"""The shop, run as a reader runs it: three processes on one file, checked by itself and then by its numbers."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import pytest

SHOP = Path(__file__).parent.parent.parent / "examples" / "shop"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run of the demo left everything, with what it printed."""
    folder = tmp_path_factory.mktemp("shop")
    command = [sys.executable, str(SHOP / "demo.py"), "--keep", str(folder)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110)
    logs = "".join(path.read_text(encoding="utf-8") for path in folder.glob("demo/*.log"))
    assert run.returncode == 0, run.stdout + run.stderr + logs
    (folder / "stdout").write_text(run.stdout, encoding="utf-8")
    return folder


class Numbers(TypedDict):
    orders: int
    charged: int
    retried: int
    refused: list[str]
    invoices: int
    totals: dict[str, str]


def numbers(kept: Path) -> Numbers:
    found: Numbers = json.loads((kept / "demo" / "numbers.json").read_text(encoding="utf-8"))
    return found


def test_every_order_is_charged_or_refused_for_good(kept: Path) -> None:
    found = numbers(kept)
    assert (found["orders"], found["charged"], len(found["refused"])) == (324, 315, 9)


def test_the_totals_are_those_of_the_orders_that_were_not_refused(kept: Path) -> None:
    assert numbers(kept)["totals"] == {
        "CHF": "3935.55",
        "EUR": "13252.00",
        "GBP": "2979.00",
        "JPY": "231790",
        "SEK": "9501.00",
        "USD": "2484.45",
    }


def test_a_failing_gateway_is_seen_in_the_attempts(kept: Path) -> None:
    retried = numbers(kept)["retried"]
    assert f"{retried} retried" in (kept / "stdout").read_text(encoding="utf-8")
    assert retried > 30


def test_each_charged_order_has_its_two_invoices(kept: Path) -> None:
    written = {path.name for path in (kept / "demo" / "invoices").iterdir()}
    assert len(written) == numbers(kept)["invoices"] == 2 * 315


def test_the_summary_names_what_counts(kept: Path) -> None:
    printed = (kept / "stdout").read_text(encoding="utf-8")
    assert re.search(r"315 charged · \d+ retried · 9 refused · 630 invoice files · \d+\.\d s", printed)
    assert "in the dead letters" in printed


def test_the_shops_own_tests_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "tests"]
    run = subprocess.run(command, cwd=SHOP, capture_output=True, text=True, timeout=110)
    assert run.returncode == 0, run.stdout + run.stderr
