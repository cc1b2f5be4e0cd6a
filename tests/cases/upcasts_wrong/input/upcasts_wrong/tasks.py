from datetime import timedelta

from stem import task, upcast
from upcasts_wrong import models

LONG = timedelta(minutes=2)


@task(version=3, soft_time_limit=LONG, hard_time_limit=timedelta(seconds=90))
def charge(order: models.Order) -> None: ...


@upcast(charge, from_version=1)
def charge_v1(order: models.OrderV1) -> models.OrderV1:
    return order


@upcast(charge, from_version=1)
def charge_again(order: models.OrderV1) -> models.Order | None:
    return None


@upcast(charge, from_version=3)
def charge_v3(order, **more: int):
    return order


@task(version=2)
def tick() -> None: ...


@upcast(tick, from_version=1)
def tick_v1(count: int) -> int:
    return count


@upcast(print, from_version=1)
def print_v1(text: "models.Gone") -> str:
    return text
