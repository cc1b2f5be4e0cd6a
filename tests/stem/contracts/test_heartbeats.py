"""What an engine keeps of a sign of life, and what it makes of one of another release."""

from __future__ import annotations

from dataclasses import replace

from stem.contracts.heartbeats import MOST_TOLD, Predecessor, RunningTask, longest, restored, stored
from stem.testing.contracts.heartbeats import BEAT, BUSY


def test_a_sign_of_life_is_restored_as_it_was_stored() -> None:
    assert restored(stored(BUSY)) == BUSY


def test_an_idle_worker_has_nothing_stored_for_its_tasks() -> None:
    assert stored(BEAT)["tasks"] is None


def test_what_an_older_release_stored_is_read() -> None:
    kept = stored(BEAT)
    for later in ("tasks", "memory", "replaces"):
        del kept[later]
    assert restored(kept) == BEAT


def test_what_a_newer_release_stored_is_read() -> None:
    kept = {
        **stored(BEAT),
        "room": 7,
        "replaces": '["w", -9, 7, 8, ["line"], "more"]',
        "tasks": '[["id", "name", "queue", 1, 5, "more"]]',
    }
    assert restored(kept) == replace(
        BEAT, tasks=(RunningTask("id", "name", "queue", 1, 5),), replaces=Predecessor("w", -9, 7, 8, ("line",))
    )


def test_a_predecessor_that_an_older_release_stored_has_no_last_lines() -> None:
    assert restored({**stored(BEAT), "replaces": '["w", -9, 7, 8]'}).replaces == Predecessor("w", -9, 7, 8)


def test_what_has_run_the_longest_is_told() -> None:
    tasks = [RunningTask(f"id-{ran}", "name", "queue", 0, ran) for ran in range(MOST_TOLD * 2)]
    assert [task.ran for task in longest(tasks)] == list(range(MOST_TOLD * 2 - 1, MOST_TOLD - 1, -1))
