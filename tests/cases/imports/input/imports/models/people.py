from pydantic import BaseModel

__all__ = ["Address", "Person"]


class Address(BaseModel):
    city: str


class Person(BaseModel):
    name: str
