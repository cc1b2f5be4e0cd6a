from stem import task

from unloadable.models import Order
from unloadable.more import Job


@task
def charge(order: Order, again: Order | None = None) -> None: ...


@task
def run(job: Job) -> None: ...
