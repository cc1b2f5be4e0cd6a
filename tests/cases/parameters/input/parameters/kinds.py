from enum import Enum


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


LIMIT = 10


def today() -> str:
    return "today"
