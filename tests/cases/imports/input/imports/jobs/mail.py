from __future__ import annotations

from typing import TYPE_CHECKING

from imports.tasklib import background

if TYPE_CHECKING:
    from datetime import date as day

    from imports.models import Address as Home
    from stem import TaskContext


@background
async def send(ctx: TaskContext, home: Home, on: day) -> None: ...
