"""The commands that look: what they print, in which form, and how they end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from stem.contracts.adapter import StoreOptions
from stem.stores.open import open_store
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench
from tests.stem.cli.conftest import Run, bury, enqueue, succeed


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def test_jobs_are_listed_the_newest_first(run: Run, url: str) -> None:
    older, newer = enqueue(url, "shop.a", "shop.b")
    head, *body = rows(run("jobs", "ls").out)
    assert head[:4] == ["id", "name", "queue", "state"]
    assert [row[0] for row in body] == [newer, older]


def test_jobs_can_be_chosen_by_name_queue_tag_and_state(run: Run, url: str) -> None:
    enqueue(url, "shop.a", "shop.b")
    enqueue(url, "shop.a", queue="mail")
    choice = ["--name", "shop.a", "--queue", "mail", "--tag", "test", "--state", "queued", "--since", "1h"]
    (job,) = jobs_of(run("jobs", "ls", "--json", *choice).json)
    assert (job["name"], job["queue"]) == ("shop.a", "mail")


def jobs_of(document: dict[str, object]) -> list[dict[str, object]]:
    found = document["jobs"]
    assert isinstance(found, list)
    return found  # pyright: ignore[reportUnknownVariableType] - what JSON holds is checked by the caller


def test_a_long_listing_says_how_to_go_on_and_goes_on(run: Run, url: str) -> None:
    ids = enqueue(url, "a", "b", "c")
    first = run("jobs", "ls", "--limit", "2", "--json").json
    second = run("jobs", "ls", "--limit", "2", "--after", str(first["next"]), "--json").json
    assert [job["id"] for job in jobs_of(first) + jobs_of(second)] == ids[::-1]
    assert second["next"] is None


def test_a_job_is_shown_without_its_arguments_unless_asked_for(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    plain, full = (run("jobs", "show", task_id, "--json", *more).json for more in ([], ["--arguments"]))
    assert (plain["name"], "arguments" in plain, full["arguments"]) == ("shop.a", False, {"n": 1})


def test_a_broadcast_is_shown_with_the_arguments_of_its_task(run: Run) -> None:
    task_id = run("enqueue", "shop.a", "n=1", "--broadcast", "--json").json["id"]
    shown = run("jobs", "show", str(task_id), "--json", "--arguments").json
    assert (shown["name"], shown["arguments"]) == ("broadcast:shop.a", {"n": 1})


def test_a_job_that_nobody_knows_ends_in_three(run: Run) -> None:
    ran = run("jobs", "show", "no-such-id")
    assert (ran.code, ran.out) == (3, "")
    assert "error[STEM-E048]" in ran.err


def test_a_result_is_printed_as_json(run: Run, url: str) -> None:
    task_id = succeed(url, "shop.a", b'{"paid":12.5}')
    assert json.loads(run("result", task_id).out) == {"paid": 12.5}
    assert run("result", task_id, "--json").json == {"id": task_id, "result": {"paid": 12.5}}


def test_a_result_that_is_not_there_yet_ends_in_one_and_says_how_to_wait(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    ran = run("result", task_id)
    assert (ran.code, ran.out) == (1, "")
    assert "--wait" in ran.err


def test_waiting_too_long_ends_in_124(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a")
    ran = run("result", task_id, "--timeout", "1ms")
    assert (ran.code, "error[STEM-E044]" in ran.err) == (124, True)


def test_the_result_of_a_failed_task_is_its_error(run: Run, url: str) -> None:
    (task_id,) = bury(url, "shop.a")
    ran = run("result", task_id)
    assert (ran.code, "GatewayDown: no answer" in ran.err) == (1, True)


def test_a_result_of_nobody_ends_in_three(run: Run) -> None:
    assert run("result", "no-such-id").code == 3


def test_queues_are_counted_by_state(run: Run, url: str) -> None:
    enqueue(url, "a", "b", queue="mail")
    head, row = rows(run("queues", "ls").out)
    counted = dict(zip(head, row, strict=True))
    assert (counted["queue"], counted["queued"], counted["failed"]) == ("mail", "2", "0")
    assert float(counted["latency"]) >= 0


async def _hand_out(url: str, queue: str) -> None:
    """A message in a queue that only workers put something into."""
    store = await open_store(url, StoreOptions())
    await Bench(store, ManualClock()).put(queue=queue)
    await store.aclose()


def test_the_private_queue_of_a_worker_is_listed_while_something_lives_in_it(run: Run, url: str) -> None:
    asyncio.run(_hand_out(url, "worker:w1"))
    assert [row[0] for row in rows(run("queues", "ls").out)] == ["queue", "worker:w1"]
    run("queues", "purge", "worker:w1", "--yes")
    assert run("queues", "ls", "--json").json == {"queues": []}


def test_tasks_of_the_store_are_listed_without_an_app(run: Run, url: str) -> None:
    enqueue(url, "a", "b", "a")
    document = run("tasks", "ls", "--json").json
    assert document == {
        "tasks": [
            {"name": "a", "queue": None, "version": None, "registered": None, "records": 2},
            {"name": "b", "queue": None, "version": None, "registered": None, "records": 1},
        ]
    }


def test_an_empty_store_is_healthy_and_has_no_jobs(run: Run) -> None:
    assert run("health").code == 0
    assert run("jobs", "ls", "--json").json == {"jobs": [], "next": None}


def test_a_database_that_was_not_there_is_said_once(run: Run, url: str) -> None:
    file = url.removeprefix("sqlite:///")
    assert run("jobs", "ls").err.splitlines() == [f"new database: {file}", "no jobs"]
    assert run("jobs", "ls").err == "no jobs\n"


def test_a_store_in_memory_is_said_to_be_seen_by_nobody_else(run: Run) -> None:
    ran = run("jobs", "ls", "--url", "memory://")
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "no jobs")
    assert "no other process sees it" in ran.err


def test_a_file_that_is_no_database_cannot_be_connected_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes and no database at all\n" * 20)
    ran = run("jobs", "ls", "--url", f"sqlite:///{tmp_path / 'notes.txt'}")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (4, "", 3)
    assert "error[STEM-E035]" in ran.err


def test_a_folder_that_is_not_there_is_wrong_usage(run: Run) -> None:
    ran = run("jobs", "ls", "--url", "sqlite:////no/such/folder/x.db")
    assert (ran.code, "/no/such/folder" in ran.err) == (2, True)


def test_due_work_without_a_worker_is_unhealthy(run: Run, url: str) -> None:
    enqueue(url, "a", queue="mail")
    ran = run("health", "--json")
    assert (ran.code, ran.json["problems"]) == (1, ["due tasks in queue mail and no live worker for it"])


def test_health_can_ask_for_workers(run: Run) -> None:
    ran = run("health", "--workers", "2", "--json")
    assert (ran.code, ran.json["problems"]) == (1, ["0 live workers, 2 asked for"])


def test_the_doctor_finds_the_queue_that_nobody_reads(run: Run, url: str) -> None:
    enqueue(url, "a", queue="mail")
    ran = run("doctor")
    assert ran.code == 0
    assert ["warn", "queues", "tasks wait and no worker listens: mail"] in [row[:3] for row in rows(ran.out)]


def test_the_doctor_ends_in_one_when_the_app_cannot_be_loaded(run: Run) -> None:
    ran = run("doctor", "--app", "no_such_module_here:registry")
    assert ran.code == 1
    assert "app" in [row[1] for row in rows(ran.out) if row[0] == "fail"]


@pytest.mark.parametrize("command", [("jobs", "ls"), ("queues", "ls"), ("tasks", "ls"), ("dlq", "ls"), ("health",)])
def test_a_store_of_an_unknown_kind_is_wrong_usage(command: tuple[str, ...], run: Run) -> None:
    ran = run(*command, "--url", "mongo://nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "error[STEM-E001]" in ran.err
    assert "'mongo://nowhere'" in ran.err


def test_why_says_in_words_what_hinders_a_task(run: Run, url: str) -> None:
    (task_id,) = enqueue(url, "shop.a", queue="mail")
    ran = run("why", task_id)
    assert (ran.code, "no live worker serves queue mail" in ran.out) == (0, True)
    do = "start one: stem worker -q mail"
    text = "no live worker serves queue mail"
    assert run("why", task_id, "--json").json["reasons"] == [{"text": text, "do": do}]


def test_why_of_an_id_that_nobody_knows_ends_in_three(run: Run) -> None:
    assert run("why", "no-such-id").code == 3
