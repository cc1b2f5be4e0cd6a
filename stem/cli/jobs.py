"""`stem jobs`: list and show tasks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import click

from stem.cli.filters import filter_options, paging_options, state_option, task_filter
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.views import JOB_COLUMNS, document_of, iso, job_row, readable
from stem.clock import from_micros
from stem.errors import Undecodable
from stem.tasks.envelope import decode_envelope
from stem.tasks.status import TaskRecord, TaskStatus

__all__ = ["jobs", "show_record"]

_HELP: Final = "List and show tasks."


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
        envelope = decode_envelope(body)
        shown: dict[str, object] = {"arguments": json.loads(envelope.payload)} if arguments else {}
    except (Undecodable, ValueError) as error:
        return {"envelope": f"damaged: {error}"}
    return {
        "version": envelope.version,
        "contract": envelope.contract,
        "headers": dict(envelope.headers),
        "meta": dict(envelope.meta),
        **shown,
    }
