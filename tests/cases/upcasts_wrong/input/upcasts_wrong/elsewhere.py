from stem import upcast
from upcasts_wrong.models import Order, OrderV1
from upcasts_wrong.tasks import charge


@upcast(charge, from_version=2)
def charge_v2(order: OrderV1) -> Order:
    return Order(id=order.number)
