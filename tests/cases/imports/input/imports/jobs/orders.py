import stem as s
from imports import models
from stem import task as t

from ..models import Person
from ..models.orders import Order


@t
async def quoted(order: "Order", person: "Person | None" = None) -> "models.Order":
    return order


@s.task(queue="slow")
async def dotted(order: models.Order) -> models.Person:
    return models.Person(name=str(order.id))
