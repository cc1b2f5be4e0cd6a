"""What is said of a child that died."""

from __future__ import annotations

from pathlib import Path

import pytest

from stem.worker.process import evidence
from stem.worker.process.evidence import Death, failure_of_death, out_of_memory_kills
from stem.worker.process.messages import Report
from stem.worker.process.pool import Recycling, recycle_reason
from stem.worker.restarts import exit_reason

MIB = 2**20


@pytest.mark.parametrize(
    ("code", "said"), [(0, "exit code 0"), (7, "exit code 7"), (-11, "signal SIGSEGV"), (-77, "signal 77")]
)
def test_an_exit_code_is_told_in_words(code: int, said: str) -> None:
    assert exit_reason(code) == said


def _found(code: int, *, out_of_memory: bool | None, last: Report | None = None) -> str:
    death = Death(code=code, peak_memory=512 * MIB, out_of_memory=out_of_memory, last=last, tail=())
    return failure_of_death("shop.resize", death).message


@pytest.mark.parametrize(
    ("code", "out_of_memory", "said"),
    [
        (
            -9,
            True,
            "signal SIGKILL, likely by the system, which killed for want of memory meanwhile; peak memory 512 MiB",
        ),
        (-9, None, "signal SIGKILL, not by its worker; perhaps by the system for want of memory; peak"),
        (-9, False, "signal SIGKILL; peak memory"),
        (-11, True, "signal SIGSEGV; peak memory"),
    ],
)
def test_the_want_of_memory_is_told_where_it_killed(code: int, out_of_memory: bool | None, said: str) -> None:
    assert said in _found(code, out_of_memory=out_of_memory)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (None, "no progress reported"),
        (Report(3, 10, "page 3", None), "last progress 3 of 10 'page 3'"),
        (Report(0.5, None, None, None), "last progress 0.5."),
    ],
)
def test_the_last_progress_is_told(last: Report | None, said: str) -> None:
    assert said in _found(1, out_of_memory=None, last=last)


def test_the_last_lines_are_kept_in_bounds() -> None:
    tail = tuple(f"{number} " + "x" * 1000 for number in range(40))
    death = Death(code=1, peak_memory=0, out_of_memory=None, last=None, tail=tail)
    text = failure_of_death("shop.resize", death).traceback

    assert (len(text) < 17_000, text.splitlines()[-1]) == (True, tail[-1])


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (Recycling(), None),
        (Recycling(tasks=11, memory=101 * MIB), None),
        (Recycling(tasks=10), "10 tasks"),
        (Recycling(memory=100 * MIB), "100 MiB"),
    ],
)
def test_a_child_is_used_up_by_tasks_or_by_memory(rules: Recycling, why: str | None) -> None:
    assert recycle_reason(rules, tasks=10, memory=100 * MIB) == why


@pytest.mark.parametrize(
    ("text", "kills"), [("a 1\noom_kill 3\n", 3), ("a 1\n", None), ("a b c\n", None), (None, None)]
)
def test_the_systems_own_count_is_read_where_it_has_one(
    text: str | None, kills: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = tmp_path / "vmstat"
    if text is not None:
        counters.write_text(text)
    monkeypatch.setattr(evidence, "_COUNTERS", counters)

    assert out_of_memory_kills() == kills
