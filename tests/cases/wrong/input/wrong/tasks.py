from stem import task

from wrong.missing import Gone
from wrong.models import Plain


@task
def unannotated(order, copies: int = 1):
    return order


@task
def unresolved(order: Gone) -> None: ...


@task
def plain(order: Plain) -> None: ...


@task
def variadic(*args: int, **kwargs: int) -> None: ...


@task(name="twice")
def one() -> None: ...


@task(name="twice", prioritty=3)
def two() -> None: ...


def outer() -> None:
    @task
    def inner() -> None: ...
