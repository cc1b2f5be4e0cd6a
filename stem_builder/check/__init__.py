"""The rules: pure functions from facts to diagnostics, and the table that explains them."""

from stem_builder.check.table import RULES, Rule, check_facts, explain
from stem_builder.check.verdict import apply_suppressions, diagnose

__all__ = ["RULES", "Rule", "apply_suppressions", "check_facts", "diagnose", "explain"]
