from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel


class ChargeOrder(BaseModel):
    order_id: int
    amount: Decimal
    currency: Literal["EUR", "USD"] = "EUR"


class OldOrder(BaseModel):
    order_id: int
    cents: int


class Receipt(BaseModel):
    charge_id: str
    paid: bool


class Mail(BaseModel):
    message_id: str
