"""The commands that change something: enqueue, and the way back from the dead letters."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.stem.cli.conftest import Run, bury, enqueue

APP = """
from stem import Registry, task

@task(name="shop.add", queue="sums")
async def add(a: int, b: int = 1) -> int:
    return a + b

registry = Registry.of(add)
nothing = 7
"""


@pytest.fixture
def app(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with a registry in the working directory."""
    name = f"app_of_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return f"{name}:registry"


def test_an_enqueued_task_prints_its_id_and_nothing_else(run: Run, app: str) -> None:
    ran = run("enqueue", "shop.add", "a=2", "--app", app)
    assert ran.code == 0
    shown = run("jobs", "show", ran.out.strip(), "--arguments", "--json").json
    assert (shown["name"], shown["queue"], shown["arguments"]) == ("shop.add", "sums", {"a": 2})


def test_arguments_may_come_as_a_document_on_stdin(run: Run, app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": 5}'))
    task_id = run("enqueue", "shop.add", "-", "b=6", "--app", app, "--json").json["id"]
    shown = run("jobs", "show", str(task_id), "--arguments", "--json").json
    assert shown["arguments"] == {"a": 5, "b": 6}


def test_options_of_the_call_win_over_those_of_the_task(run: Run, app: str) -> None:
    options = ["--queue", "other", "--priority", "7", "--delay", "1h", "--max-retries", "0", "--header", "trace=x"]
    task_id = run("enqueue", "shop.add", "a=1", *options, "--app", app).out.strip()
    shown = run("jobs", "show", task_id, "--json").json
    assert (shown["queue"], shown["priority"], shown["max_retries"]) == ("other", 7, 0)
    assert shown["headers"] == {"trace": "x"}


def test_wrong_arguments_are_refused_before_anything_is_stored(run: Run, app: str) -> None:
    ran = run("enqueue", "shop.add", "a=x", "--app", app)
    assert (ran.code, ran.out) == (2, "")
    assert "error[STEM-E021]" in ran.err
    assert run("jobs", "ls", "--json").json["jobs"] == []


def test_a_task_that_the_app_does_not_know_is_refused(run: Run, app: str) -> None:
    ran = run("enqueue", "shop.ad", "a=1", "--app", app)
    assert (ran.code, "error[STEM-E022]" in ran.err) == (3, True)


def test_without_an_app_the_worker_checks(run: Run) -> None:
    assert run("enqueue", "anything", '{"x": [1]}').code == 0


@pytest.mark.parametrize("words", [["x"], ["{"], ["{}", "{}"], ["--header", "x"], ["--priority", "12"]])
def test_words_that_are_no_arguments_are_wrong_usage(words: list[str], run: Run) -> None:
    assert run("enqueue", "anything", *words).code == 2


def test_the_same_unique_key_gives_the_id_of_the_holder(run: Run) -> None:
    first, second = (run("enqueue", "a", "--unique-key", "k", "--json").json for _ in range(2))
    assert (second["id"], second["duplicate"]) == (first["id"], True)


def test_waiting_for_a_task_that_nobody_runs_ends_in_124_and_says_the_id(run: Run) -> None:
    ran = run("enqueue", "a", "--wait", "--timeout", "1ms")
    assert (ran.code, ran.out) == (124, "")
    assert "\nenqueued " in ran.err


def test_an_app_that_is_no_registry_is_refused(run: Run, app: str) -> None:
    ran = run("enqueue", "shop.add", "--app", app.replace(":registry", ":nothing"))
    assert (ran.code, "to be a Registry or a Stem" in ran.err) == (2, True)


def test_dead_letters_are_listed_with_reason_and_error(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    enqueue(url, "shop.b")
    _, row = [line.split("\t") for line in run("dlq", "ls").out.splitlines()]
    assert (row[0], row[3], row[4]) == (task_id, "retries", "GatewayDown: no answer")


def test_a_dead_letter_is_shown_with_its_traceback(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    shown = run("dlq", "show", task_id, "--json").json
    assert shown["error"] == {
        "kind": "GatewayDown",
        "message": "no answer\nat all",
        "code": "",
        "traceback": "Traceback: line 7",
    }


def test_a_person_reads_the_error_first_and_the_traceback_last(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    lines = run("dlq", "show", task_id).out.splitlines()
    assert "error             GatewayDown: no answer" in lines
    assert lines[-1] == "traceback         Traceback: line 7"


def test_a_task_that_is_not_dead_is_not_found_among_the_dead(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    assert run("dlq", "show", task_id).code == 3


def test_a_replayed_letter_waits_again_under_its_id(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    assert run("dlq", "replay", task_id, "--json").json == {"replayed": [task_id], "refused": []}
    shown = run("jobs", "show", task_id, "--json").json
    assert (shown["state"], shown["generation"], shown["attempt"]) == ("queued", 1, 0)


def test_a_live_task_is_not_replayed_and_the_others_are(run: Run, url: str) -> None:
    (dead,) = bury(url, "shop.a")
    (live,) = enqueue(url, "shop.b")
    ran = run("dlq", "replay", live, dead, "--json")
    assert (ran.code, ran.json["replayed"]) == (1, [dead])


def test_replaying_all_needs_a_yes_when_nobody_is_at_the_terminal(run: Run, url: str) -> None:
    bury(url, "shop.a", "shop.b")
    ran = run("dlq", "replay", "--all")
    assert (ran.code, "--yes" in ran.err) == (5, True)
    assert run("dlq", "ls").out != ""


def test_replaying_all_takes_what_the_filters_choose(run: Run, url: str) -> None:
    ids = bury(url, "shop.a", "shop.b", "shop.a")
    ran = run("dlq", "replay", "--all", "--name", "shop.a", "--yes", "--json")
    assert sorted(json.loads(ran.out)["replayed"]) == sorted([ids[0], ids[2]])


def test_a_dry_run_only_counts(run: Run, url: str) -> None:
    bury(url, "shop.a", "shop.b")
    assert run("dlq", "replay", "--all", "--dry-run", "--json").json == {"would_replay": 2}
    assert len(run("dlq", "ls").out.splitlines()) == 3


@pytest.mark.parametrize("words", [[], ["some-id", "--all"]])
def test_replay_wants_either_ids_or_all(words: list[str], run: Run) -> None:
    assert run("dlq", "replay", *words).code == 2


def test_a_replay_may_be_due_later(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    assert run("dlq", "replay", task_id, "--delay", "1h").code == 0
    assert '"latency": null' in run("queues", "ls", "--json").out


def test_a_limit_takes_the_newest(run: Run, url: str) -> None:
    ids = bury(url, "shop.a", "shop.b")
    ran = run("dlq", "purge", "--all", "--limit", "1", "--yes", "--json")
    assert ran.json == {"purged": [ids[1]], "refused": []}


def test_a_purged_letter_is_a_failed_task_and_no_dead_letter(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    assert run("dlq", "purge", task_id).code == 0
    assert run("dlq", "ls", "--json").json["dead_letters"] == []
    assert run("jobs", "show", task_id, "--json").json["state"] == "failed"


def test_an_id_that_is_unknown_is_told_and_the_others_are_done(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    ran = run("dlq", "replay", "nobody", task_id, "--json")
    assert (ran.code, ran.json["replayed"]) == (3, [task_id])


def test_a_paused_queue_says_so_until_it_is_resumed(run: Run, url: str) -> None:
    enqueue(url, "shop.a", queue="mail")
    assert run("queues", "pause", "mail", "--reason", "the server moves").code == 0
    assert "the server moves" in run("queues", "ls").out
    assert "resumed" in run("queues", "resume", "mail").err
    assert "was not paused" in run("queues", "resume", "mail").err
    assert "the server moves" not in run("queues", "ls").out


def test_a_paused_queue_without_tasks_is_listed(run: Run) -> None:
    run("queues", "pause", "empty")
    assert "empty" in run("queues", "ls").out


def test_a_purge_cancels_what_waits_after_a_yes(run: Run, url: str) -> None:
    ids = enqueue(url, "shop.a", "shop.b", queue="mail")
    assert run("queues", "purge", "mail").code == 5
    assert run("queues", "purge", "mail", "--dry-run", "--json").json == {"would_purge": 2}
    ran = run("queues", "purge", "mail", "--name", "shop.a", "--yes", "--json")
    assert ran.json == {"purged": [ids[0]], "refused": []}


def test_migrating_a_store_that_is_current_takes_no_step(run: Run, url: str) -> None:
    enqueue(url, "a")
    assert run("migrate", "--json").json == {"steps": []}


def test_migrating_names_the_steps_of_an_empty_store(run: Run) -> None:
    steps = run("migrate", "--json").json["steps"]
    assert isinstance(steps, list)
    assert steps
    assert run("migrate", "--json").json == {"steps": []}
