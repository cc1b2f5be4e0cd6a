"""What a worker process opens before its first task, and closes after its last one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeAlias

from stem.errors import ConfigError
from stem.signals.calls import name_of

__all__ = ["Lifespan", "open_state"]

Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]
"""Made once per worker process; its value is `ctx.state`."""


async def open_state(lifespan: Lifespan | None, stack: AsyncExitStack) -> object:
    """What the lifespan gives; `stack` closes it. Raises `ConfigError` for one that raises."""
    if lifespan is None:
        return None
    try:
        return await stack.enter_async_context(lifespan())
    except Exception as error:
        raise ConfigError(
            expected=f"the lifespan {name_of(lifespan)} to open what the worker needs",
            found=f"{type(error).__name__}: {error}",
            do="Correct it, or what it connects to. Nothing was started.",
        ) from error
