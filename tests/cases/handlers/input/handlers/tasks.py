import stem
from stem import TaskContext, task

from handlers.models import Order, Receipt


class Pool: ...


@task
async def charge(order: Order) -> Receipt:
    """Charge a customer once."""
    return Receipt(charge_id=str(order.order_id), paid=True)


@task(name="billing.refund", version=3)
async def refund(ctx: TaskContext, receipt: Receipt) -> None:
    """Give the money back.

    Args:
        receipt: what was paid.
    """
    ctx.logger.info("refund %s", receipt.charge_id)


@stem.task()
def render(receipt: Receipt) -> str:
    return receipt.charge_id


@stem.task
def archive(ctx: TaskContext[Pool], receipt: Receipt) -> bool:
    return receipt.paid and ctx.attempt == 0


@task
async def sweep() -> int:
    return 0
