from pydantic import BaseModel

from chained import helpers


class Order(BaseModel):
    id: int = helpers.DEFAULT
