import os

from pydantic import BaseModel

URL = os.environ["UNLOADABLE_URL"]


class Order(BaseModel):
    id: int
