from pydantic import BaseModel


class Order(BaseModel):
    id: int


class charge(BaseModel):
    amount: int
