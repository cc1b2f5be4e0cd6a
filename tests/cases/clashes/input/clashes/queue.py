from stem import task

from clashes import a, b


@task
def charge(first: a.Order, second: b.Order, third: a.charge) -> None: ...


@task
def registry(items: list[int], other: b.list) -> None: ...


@task
def Final(numbers: list[int], other: b.list) -> None: ...


@task
def task_def(int: int, date: str = str(1)) -> None: ...


@task
def stem() -> None: ...


@task(name="clashes.list", attr="list")
def lists(items: list[int]) -> list[int]:
    return items
