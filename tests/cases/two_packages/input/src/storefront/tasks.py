from stem import task
from storefront.models import Parcel
from warehouse._stem import definitions as warehouse


@task
async def order(weight: float) -> str:
    return warehouse.pack.call(Parcel(weight=weight)).name
