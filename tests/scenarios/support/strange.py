"""Tasks that ask for what is strange: for a retry at the end of time, for a result that nobody can keep."""

from __future__ import annotations

from datetime import timedelta

from stem import Registry, Retry, TaskContext, definition, task

__all__ = ["BIG", "ENDLESS", "IMPATIENT", "LATER", "PLAIN", "STEEP", "strange"]


@task(name="strange.plain")
async def plain() -> str:
    """Nothing is strange here."""
    return "plain"


@task(name="strange.endless")
async def endless(ctx: TaskContext) -> None:
    """Wants to run again at the end of time."""
    ctx.retry(timedelta.max)


@task(name="strange.impatient", max_retries=2)
async def impatient(ctx: TaskContext) -> int:
    """Wants to have run again an hour ago."""
    if ctx.attempt < 2:
        ctx.retry(timedelta(hours=-1))
    return ctx.attempt


@task(name="strange.steep", max_retries=5000, retry=Retry(initial=timedelta.max, factor=1e300, max_delay=timedelta.max))
async def steep() -> None:
    """Its backoff is beyond every number."""
    raise ConnectionError("not now")


@task(name="strange.big")
async def big(size: int) -> str:
    """Returns so many characters."""
    return "x" * size


PLAIN = definition(plain)
ENDLESS = definition(endless)
IMPATIENT = definition(impatient)
STEEP = definition(steep)
BIG = definition(big)
LATER = PLAIN.options(delay=timedelta.max)
strange = Registry.of(plain, endless, impatient, steep, big)
