from stem import task

from parameters.kinds import LIMIT, Colour, today


@task
def literals(
    text: str = "it's \"quoted\"",
    number: int = -1,
    ratio: float = 0.5,
    flag: bool = True,
    nothing: str | None = None,
    pair: tuple[int, int] = (1, 2),
    empty: tuple[int, ...] = (),
    raw: bytes = b"\x00",
) -> None: ...


@task
def computed(day: str = today(), limit: int = LIMIT, colour: Colour = Colour.RED) -> None: ...


@task
def keywords(*, first: int, second: str = "x") -> None: ...


@task
def mixed(first: int, second: str = "x", *, third: bool, fourth: int = 4) -> None: ...


@task
def names(self: int, to: int, queue: str, timeout: float, args: int, kwargs: int) -> None: ...
