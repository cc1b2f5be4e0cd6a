from pydantic import BaseModel


class Order(BaseModel):
    name: str


class list(BaseModel):
    items: int
