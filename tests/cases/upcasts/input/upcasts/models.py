from decimal import Decimal
from typing import TypedDict

from pydantic import BaseModel


class Order(BaseModel):
    id: int
    amount: Decimal


class RushOrder(Order):
    hours: int = 24


class Arguments(TypedDict):
    order: Order
    copies: int
