from __future__ import annotations

from first_run._stem import definitions as defs
from first_run.models import Order
from stem import TaskContext, task


@task
async def start(ctx: TaskContext, order: Order) -> None:
    await defs.finish.enqueue(ctx, order)


@task
async def finish(order: Order) -> int:
    return order.id
