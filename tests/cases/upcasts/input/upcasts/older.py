from pydantic import BaseModel

from upcasts.models import Order as Today


class OrderV1(BaseModel):
    id: int
    cents: int


OrderV3 = Today
