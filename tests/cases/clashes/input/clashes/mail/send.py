from datetime import timedelta

from stem import task


@task(expires=timedelta(minutes=5))
def send(after: timedelta) -> None: ...


@task
def annotations(send: str) -> None: ...


@task(expires=timedelta(hours=1), attr="timedelta")
def delta() -> None: ...
