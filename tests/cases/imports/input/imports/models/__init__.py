from imports.models.orders import Order as Order
from .people import *

__all__ = ["Address", "Order", "Person"]
