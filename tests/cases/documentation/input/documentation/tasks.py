from stem import task


@task(name='odd "name" \\ of a task')
def hostile() -> None:
    '''Says """ and \\ and \N{BULLET} and "

        indented
    import os
    """ + 1/0 + """'''


@task
def raw() -> None:
    r"""Matches \d+ and \\."""


@task
def undocumented() -> None: ...


@task
def plain() -> None:
    """
    Starts on its second line.
    """
