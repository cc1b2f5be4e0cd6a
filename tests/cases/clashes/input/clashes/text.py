from stem import task

from clashes import b


@task
def str(text: b.Order) -> b.Order:
    return text
