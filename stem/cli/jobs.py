"""`stem jobs`: list and show tasks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.filters import filter_options, paging_options, state_option, task_filter
from stem.cli.output import Output
from stem.cli.revoke import revoke
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.values import DURATION
from stem.cli.views import JOB_COLUMNS, document_of, iso, job_row, readable
from stem.clock import from_micros
from stem.errors import Undecodable
from stem.tasks.broadcast import enclosed
from stem.tasks.encoders import PLAIN, name_of
from stem.tasks.envelope import decode_envelope
from stem.tasks.status import TaskRecord, TaskStatus

if TYPE_CHECKING:
    pass

__all__ = ["jobs", "show_record"]

_HELP: Final = "Tasks: list, show, retry, cancel, revoke."


@click.group("jobs", help=_HELP)
def jobs() -> None:
    """The group; its help is the table's."""


@jobs.command("ls")
@state_option
@filter_options
@paging_options
@url_option
@app_option
@json_option
def list_jobs(*, limit: int, after: str | None, url: str | None, app: str | None, as_json: bool, **where: Any) -> None:
    """List tasks, the newest first."""
    page = ask(url, lambda stem: stem.inspect.tasks(task_filter(**where), limit=limit, after=after), app)
    statuses = [TaskStatus.of(record) for record in page.records]
    now = datetime.now(UTC)
    output = Output(as_json)
    rows = [document_of(status) if as_json else job_row(status, now) for status in statuses]
    output.rows("jobs", JOB_COLUMNS, rows, next=page.after)
    if page.after and not as_json:
        output.talk(f"more: --after {page.after}")


@jobs.command("show")
@click.argument("task_id", metavar="ID")
@click.option("--arguments", is_flag=True, help="Show the arguments too; they may hold what is not for every screen.")
@url_option
@app_option
@json_option
def show_job(task_id: str, *, arguments: bool, url: str | None, app: str | None, as_json: bool) -> None:
    """Show everything recorded of one task."""
    record = ask(url, lambda stem: stem.inspect.task(task_id), app)
    show_record(record, arguments=arguments, as_json=as_json)


@jobs.command("retry")
@click.argument("task_id", metavar="ID")
@click.option("--delay", type=DURATION, default="0s", metavar="DURATION", help="Due only after this time.")
@url_option
@app_option
@json_option
def retry_job(task_id: str, *, delay: timedelta, url: str | None, app: str | None, as_json: bool) -> None:
    """Queue a failed, cancelled or expired task again: the same id and arguments, with all counters at zero."""
    status = ask(url, lambda stem: stem.inspect.replay(task_id, delay=delay), app)
    Output(as_json).record(_short(status))


@jobs.command("cancel")
@click.argument("task_id", metavar="ID")
@click.option("--terminate", is_flag=True, help="Stop it where it runs.")
@url_option
@app_option
@json_option
def cancel_job(task_id: str, *, terminate: bool, url: str | None, app: str | None, as_json: bool) -> None:
    """Cancel a task: what waits ends at once, what runs is told. One that has ended stays as it is."""
    status = ask(url, lambda stem: stem.cancel_task(task_id, terminate=terminate), app)
    Output(as_json).record(_short(status))


jobs.add_command(revoke)


def _short(status: TaskStatus) -> dict[str, object]:
    return {"id": status.id, "state": status.state.value, "cancel_requested": status.cancel_requested}


def show_record(record: TaskRecord, *, arguments: bool, as_json: bool) -> None:
    """Print one task with everything that is known of it."""
    document = detailed(record, arguments=arguments)
    Output(as_json).record(document if as_json else readable(document, TaskStatus.of(record)))


def detailed(record: TaskRecord, *, arguments: bool) -> dict[str, object]:
    """The status, what only the store knows beside it, and what is in the envelope."""
    return {
        **document_of(TaskStatus.of(record)),
        "generation": record.generation,
        "deliveries": record.deliveries,
        "lost": record.lost,
        "fence": record.fence,
        "lease_until": None if record.lease_until is None else iso(from_micros(record.lease_until)),
        "result_until": None if record.result_until is None else iso(from_micros(record.result_until)),
        **_enclosed(record.envelope, arguments=arguments),
    }


def _enclosed(body: bytes, *, arguments: bool) -> dict[str, object]:
    """What the producer wrote; a damaged envelope is said and hides nothing else."""
    try:
        envelope = enclosed(decode_envelope(body))
        shown: dict[str, object] = {"arguments": _shown(envelope.payload)} if arguments else {}
    except (Undecodable, ValueError) as error:
        return {"envelope": f"damaged: {error}"}
    return {
        "version": envelope.version,
        "contract": envelope.contract,
        "headers": dict(envelope.headers),
        "meta": dict(envelope.meta),
        **shown,
    }


def _shown(payload: bytes) -> object:
    """The arguments; what an encoder made that is not known here is named, and not read."""
    try:
        return json.loads(PLAIN.read(payload))
    except Undecodable:
        return f"encoded: {name_of(payload)}"
