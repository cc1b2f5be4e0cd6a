from pydantic import BaseModel

from first_run.audit import audited


@audited
class Order(BaseModel):
    id: int
