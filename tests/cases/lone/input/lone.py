from stem import task


@task
def charge(order: int) -> None: ...
