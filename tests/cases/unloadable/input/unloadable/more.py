from collections.abc import Callable

from pydantic import BaseModel


class Job(BaseModel):
    run: Callable[[], None]
