"""The neutral model: what a package declares, free of LibCST nodes and of template text."""

from stem_builder.model.declarations import (
    Default,
    Option,
    Package,
    Parameter,
    ParameterKind,
    Place,
    Symbol,
    Task,
    TypeRef,
)

__all__ = ["Default", "Option", "Package", "Parameter", "ParameterKind", "Place", "Symbol", "Task", "TypeRef"]
