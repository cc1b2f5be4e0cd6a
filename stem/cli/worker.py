"""`stem worker`: run tasks until told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from stem.cli.exits import Exit
from stem.cli.hiring import Hiring, hiring_options
from stem.cli.last_lines import LastLines
from stem.cli.logs import configure_logging, log_options
from stem.cli.loop import loop_option, run_on
from stem.cli.probes import answering, probe_options
from stem.cli.session import app_option, client_of, registry_of, url_option
from stem.cli.supervise import hang_on, supervise
from stem.errors import ConfigError

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.registry import Registry
    from stem.worker.worker import Worker

__all__ = ["worker"]

F = TypeVar("F", bound=Callable[..., Any])

_HELP: Final = """Run a worker until it is told to stop.

    The registry is the argument, else STEM_APP, else [tool.stem] app. Without -q it serves the queues that the
    registry's tasks name, and `default`. The first SIGTERM or Ctrl-C lets what runs finish, for --drain, and hands back
    the rest without using an attempt; the second one cancels at once. With --processes, so many workers run, those that
    die are replaced, and signals are passed on to all; a third one kills.
    """


@click.command("worker", help=_HELP)
@click.argument("registry", metavar="[MODULE:REGISTRY]", required=False)
@hiring_options
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Workers, each a process.")
@click.option("--lifeline", type=int, hidden=True, help="A descriptor that is open while the supervisor lives.")
@click.option(
    "--replaces", type=(int, int), hidden=True, help="The process that died before this one: number, exit code."
)
@click.option("--last-lines", type=int, hidden=True, help="A descriptor of a file that outlives this process.")
@probe_options
@loop_option
@log_options
@url_option
@app_option
def worker(
    registry: str | None,
    *,
    hiring: Hiring,
    processes: int,
    lifeline: int | None,
    replaces: tuple[int, int] | None,
    last_lines: int | None,
    probes: tuple[str, int] | None,
    probe_file: Path | None,
    loop: str,
    log_level: str,
    log_format: str,
    url: str | None,
    app: str | None,
) -> int:
    """The command; its help is above."""
    if url and app:
        raise click.UsageError("--app brings its own URL; give one of --url and --app")
    if processes > 1 and (probes or probe_file):
        raise click.UsageError("probes are of one worker; give each its own place, and no --processes")
    configure_logging(log_level, log_format)
    if processes > 1:
        return supervise(processes, hiring.name)
    ready = None if lifeline is None else hang_on(lifeline)
    left = () if last_lines is None else _log_to(LastLines(last_lines))
    handlers = _require(registry_of(registry))

    async def work() -> None:
        async with client_of(url, app) as stem:
            made = hiring.hire(stem, handlers)
            if replaces is not None:
                made.take_the_place_of(*replaces, left)
            _greet(stem, made, handlers)
            async with answering(made, probes, probe_file):
                await _run(made, ready)

    run_on(loop, work())
    return Exit.OK


async def _run(worker: Worker, ready: Callable[[], None] | None) -> None:
    """Start, work, stop. A signal before the start is complete ends it there: nothing was leased yet."""
    from stem.worker.signals import install_signals

    loop, told = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.current_task()
    assert task is not None

    def give_up() -> None:
        told.set()
        task.cancel()

    install_signals(loop, give_up)
    try:
        async with worker:
            worker.install_signals(loop)
            _keep_what_is_loaded()
            if ready is not None:
                ready()
            await worker.run_until_stopped()
    except asyncio.CancelledError:
        if not told.is_set():
            raise
        task.uncancel()
        click.echo("stopped before the start was complete", err=True)


def _log_to(kept: LastLines) -> tuple[str, ...]:
    """Keep what is logged from now on; what the process before this one logged last."""
    left = kept.take_over()
    logging.getLogger().addHandler(kept)
    return left


def _keep_what_is_loaded() -> None:
    """Modules, models and validators stay for good: a full collection that goes through them stops a worker 12 ms."""
    gc.collect()
    gc.freeze()


def _require(registry: Registry | None) -> Registry:
    if registry is None:
        raise ConfigError(
            expected="a registry to work for",
            found="none named by the argument, STEM_APP or [tool.stem] app",
            do="Name it: stem worker shop._stem.registry:registry",
        )
    return registry


def _greet(stem: Stem, worker: Worker, registry: Registry) -> None:
    click.echo(f"worker {worker.name} on {stem!r}: {_shown(worker.settings.queues)}", err=True)
    click.echo(f"tasks: {', '.join(registry.names) or 'none'}", err=True)


def _shown(queues: Mapping[str, int]) -> str:
    return ", ".join(name if weight == 1 else f"{name}:{weight}" for name, weight in queues.items())
