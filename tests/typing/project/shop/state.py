"""What the lifespan of the shop's workers opens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Pools:
    names: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def lifespan() -> AsyncGenerator[Pools]:
    yield Pools()
