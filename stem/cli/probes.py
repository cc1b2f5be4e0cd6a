"""The options of a worker by which an orchestrator asks whether it lives and is ready."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from stem.clock import SystemClock

if TYPE_CHECKING:
    from stem.worker.worker import Worker

__all__ = ["ADDRESS", "answering", "probe_options"]

F = TypeVar("F", bound=Callable[..., Any])
_HERE: Final = "127.0.0.1"


class _Address(click.ParamType[tuple[str, int]]):
    """`8080` on this machine, or `0.0.0.0:8080`."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        host, _, port = str(value).rpartition(":")
        if not port.isdigit() or int(port) > 65_535:
            self.fail(f"{value!r} is no address; write PORT or HOST:PORT", param, ctx)
        return host.strip("[]") or _HERE, int(port)


ADDRESS: Final = _Address()


def probe_options(command: F) -> F:
    """`--probes` and `--probe-file`."""
    http = click.option("--probes", type=ADDRESS, metavar="[HOST:]PORT", help="Answer GET /livez and /readyz there.")
    file = click.option("--probe-file", type=click.Path(path_type=Path), help="A file that is there while it is ready.")
    return http(file(command))


@asynccontextmanager
async def answering(worker: Worker, address: tuple[str, int] | None, file: Path | None) -> AsyncGenerator[None]:
    """Answer probes about the worker while the body runs. Raises `ConfigError` for a place that cannot be had."""
    from stem.worker.probes import keep_file, serve

    async with AsyncExitStack() as stack:
        if address is not None:
            port = await stack.enter_async_context(serve(lambda: worker.health, *address))
            click.echo(f"probes: http://{address[0]}:{port}/readyz", err=True)
        if file is not None:
            await stack.enter_async_context(keep_file(lambda: worker.health, file, SystemClock()))
        yield
