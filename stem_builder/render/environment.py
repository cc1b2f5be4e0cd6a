"""The Jinja2 environment: templates hold the shape, Python decides every value."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from stem_builder.render.text import seal

__all__ = ["render_template"]


def render_template(template: str, values: dict[str, object]) -> str:
    """The sealed text of a generated Python file; a value that the template asks for and does not get is an error."""
    return seal(_environment().get_template(template).render(values))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("stem_builder.render"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - the output is Python, and every text in it was quoted by render.text
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
