"""`stem`: the commands by name, and the one place where an error becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NoReturn

import click

from stem.cli.exits import Exit, exit_of, lines_of
from stem.cli.lazy import LazyGroup
from stem.errors import StemError

__all__ = ["cli", "main"]

_COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "worker": ("stem.cli.worker:worker", "Run a worker until it is told to stop."),
        "dev": ("stem.cli.dev:dev", "Run a worker, and start it again whenever a file changes."),
        "enqueue": ("stem.cli.enqueue:enqueue", "Enqueue a task by its name."),
        "result": ("stem.cli.result:result", "Print the result of a task."),
        "jobs": ("stem.cli.jobs:jobs", "Tasks: list, show, retry, cancel, revoke."),
        "dlq": ("stem.cli.dlq:dlq", "The dead letters: list, show, replay, purge."),
        "queues": ("stem.cli.queues:queues", "Queues: list, pause, resume, purge."),
        "workers": ("stem.cli.workers:workers", "Workers: list, ping, stats, inspect, drain, stop."),
        "tasks": ("stem.cli.tasks:tasks", "The tasks that the app and the store know."),
        "why": ("stem.cli.why:why", "Say why a task is not running, or not finished."),
        "health": ("stem.cli.health:health", "Whether the store answers and workers live."),
        "doctor": ("stem.cli.doctor:doctor", "Look for what people lose days to."),
        "migrate": ("stem.cli.migrate:migrate", "Bring the database to this version's schema."),
    }
)
_HELP: Final = """Type-safe background jobs.

The store is found from --url, then STEM_URL, then sqlite:///stem.db; the app from the argument or --app, then STEM_APP,
then [tool.stem] app in pyproject.toml. Data goes to stdout, talk to stderr; every command that reads takes --json.

Exit codes: 0 ok, 1 problems, 2 usage, 3 not found, 4 cannot connect, 5 refused without --yes, 124 timeout.
"""

cli: Final = click.version_option(package_name="stem-jobs", prog_name="stem")(
    LazyGroup("stem", table=_COMMANDS, help=_HELP)
)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit: with its code, or with that of the error it met, told in three lines on stderr."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code: object = cli.main(arguments, prog_name="stem", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except StemError as error:
        click.echo("\n".join(lines_of(error)), err=True)
        return exit_of(error)
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return _reader_is_gone()
    return code if isinstance(code, int) else Exit.OK


def _reader_is_gone() -> int:
    """`stem jobs ls | head` is no error; stdout leads nowhere now, so that closing it at the exit is none either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.OK
