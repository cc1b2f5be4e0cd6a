"""Every rule in one table: its code, its purpose in a line, its severity, its explanation, and what judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from stem_builder.check import names, options, signatures, surroundings, upcasts
from stem_builder.check.catalogue import CATALOGUE, Entry
from stem_builder.check.verdict import did_you_mean
from stem_builder.diagnostics import Diagnostic
from stem_builder.model.facts import Facts

__all__ = ["RULES", "Handler", "Rule", "check_facts", "explain"]

Handler = Callable[[Facts], Iterator[Diagnostic]]

_HANDLERS: Final[Mapping[str, Handler]] = {
    "STL001": names.nested,
    "STL002": names.private,
    "STL003": names.duplicate,
    "STL004": names.dynamic,
    "STL005": names.clashing,
    "STL008": names.unseen,
    "STL101": signatures.unannotated,
    "STL105": signatures.misplaced_context,
    "STL106": surroundings.models_beside_handlers,
    "STL107": signatures.variadic,
    "STL108": signatures.mutable_default,
    "STL109": signatures.positional_only,
    "STL112": surroundings.registry_imported,
    "STL113": surroundings.costly_package,
    "STL114": options.wrong_option,
    "STL115": options.wrong_template,
    "STL119": options.soft_after_hard,
    "STL120": upcasts.misfit,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `handler` judges the facts of a package; `None`: found while reading source or importing models."""

    code: str
    entry: Entry
    handler: Handler | None


RULES: Final[Mapping[str, Rule]] = {code: Rule(code, entry, _HANDLERS.get(code)) for code, entry in CATALOGUE.items()}


def check_facts(facts: Facts) -> tuple[Diagnostic, ...]:
    """Everything that the rules find, all of it in one pass; it reads no file."""
    handlers = (rule.handler for rule in RULES.values() if rule.handler is not None)
    return tuple(found for handler in handlers for found in handler(facts))


def explain(code: str) -> str:
    """The text of `stem-build explain CODE`; raises `KeyError` with a proposal for a code that is no rule."""
    rule = RULES.get(code.upper())
    if rule is None:
        raise KeyError(f"no rule {code!r}. {did_you_mean(code.upper(), RULES)}".strip())
    entry = rule.entry
    yields = f"Suppress with: # stem: noqa[{rule.code}]" if entry.suppressible else "Cannot be suppressed."
    return f"{rule.code} ({entry.severity.value}): {entry.purpose}\n\n{entry.explanation}\n\n{yields}\n"
