from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from stem import TaskContext, task, upcast
from upcasts import older
from upcasts.models import Arguments, Order, RushOrder


@task(version=4, soft_time_limit=timedelta(seconds=50), hard_time_limit=timedelta(minutes=1))
async def charge(ctx: TaskContext, order: Order, copies: int = 1) -> None: ...


@upcast(charge, from_version=1)
def charge_v1(order: older.OrderV1) -> RushOrder:
    return RushOrder(id=order.id, amount=Decimal(order.cents) / 100)


@upcast(charge, from_version=2)
def charge_v2(id: int, amount: Decimal) -> Arguments:
    return {"order": Order(id=id, amount=amount), "copies": 1}


@upcast(charge, from_version=3)
def charge_v3(order: "older.OrderV3") -> Order:
    return order


@task(version=2)
def count(numbers: list[int] | None) -> int:
    return len(numbers or ())


@upcast(count, from_version=1)
def count_v1(first: int, last: int) -> Mapping[str, object]:
    return {"numbers": [first, last]}
