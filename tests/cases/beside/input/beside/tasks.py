import json

from pydantic import BaseModel
from stem import task


class Order(BaseModel):
    id: int


@task
def charge(order: Order, others: list[Order]) -> str:
    return json.dumps([order.id, len(others)])
