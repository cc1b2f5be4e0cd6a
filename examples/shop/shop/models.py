"""What travels between producer and workers. Both may import it: it needs pydantic and nothing else."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field


class Item(BaseModel):
    """One line of an order. `price` is for one piece, in the order's currency."""

    sku: str
    name: str
    quantity: int = Field(gt=0)
    price: Decimal = Field(ge=0)

    @property
    def amount(self) -> Decimal:
        """What the line costs."""
        return self.price * self.quantity


class Order(BaseModel):
    """An order as the web shop exported it. `card` is a token; its last four digits are those of the card."""

    number: int
    placed_at: datetime
    customer: str
    email: str
    city: str
    country: str
    currency: str = Field(pattern="^[A-Z]{3}$")
    card: str
    items: list[Item] = Field(min_length=1)

    @property
    def total(self) -> Decimal:
        """What the order costs, in its currency."""
        return sum((item.amount for item in self.items), Decimal(0))


class Payment(BaseModel):
    """What the gateway answers; `reference` is the same for every repetition of one charge."""

    reference: str
    amount: Decimal
    currency: str


class Receipt(BaseModel):
    """The result of a charge. `attempts` counts the successful one too; `invoice_task` is the id of what follows."""

    order: int
    payment: Payment
    attempts: int
    invoice_task: str


class Invoice(BaseModel):
    """The result of writing an invoice: the names of its files in the folder of the invoices."""

    order: int
    files: list[str]
