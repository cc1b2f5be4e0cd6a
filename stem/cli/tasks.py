"""`stem tasks`: which tasks there are, by the app and by the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, registry_of, url_option
from stem.tasks.broadcast import announced_name

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.registry import Registry

__all__ = ["tasks"]

_HELP: Final = "The tasks that the app and the store know."
_COLUMNS: Final = ("name", "queue", "version", "registered", "records")


@click.group("tasks", help=_HELP)
def tasks() -> None:
    """The group; its help is the table's."""


@tasks.command("ls")
@url_option
@app_option
@json_option
def list_tasks(*, url: str | None, app: str | None, as_json: bool) -> None:
    """List task names, those of the app and those that only the store has records of."""
    registry = registry_of(app)
    counted = ask(url, _counted, app)
    names = sorted({*counted, *(registry.names if registry is not None else ())})
    rows = [_row(name, registry, counted.get(name, 0)) for name in names]
    Output(as_json).rows("tasks", _COLUMNS, rows)


async def _counted(stem: Stem) -> Mapping[str, int]:
    return await stem.inspect.task_names()


def _row(name: str, registry: Registry | None, records: int) -> dict[str, object]:
    """A name with what the registry says of it; without a registry nothing is said."""
    binding = registry.get(announced_name(name)) if registry is not None else None
    described = None if binding is None else binding.definition
    return {
        "name": name,
        "queue": None if described is None else described.publish_options.queue,
        "version": None if described is None else described.version,
        "registered": None if registry is None else binding is not None,
        "records": records,
    }
