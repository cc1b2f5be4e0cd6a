from pydantic import BaseModel


class Order(BaseModel):
    id: int


class OrderV1(BaseModel):
    number: int
