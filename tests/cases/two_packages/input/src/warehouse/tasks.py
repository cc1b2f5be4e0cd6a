from stem import task
from storefront.models import Parcel


@task
async def pack(parcel: Parcel) -> Parcel:
    return parcel
