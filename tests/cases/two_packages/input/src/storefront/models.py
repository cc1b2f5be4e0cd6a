from pydantic import BaseModel


class Parcel(BaseModel):
    weight: float
