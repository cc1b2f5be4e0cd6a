"""Schemas, contracts and the lock: what travels on the wire, in a form that can be compared."""

from stem_builder.lock.contract import package_contract, task_contract
from stem_builder.lock.document import lock_document, lock_entry, read_lock
from stem_builder.lock.runtime import contract_document
from stem_builder.lock.schemas import Problem, TypeSchema, collect_schemas

__all__ = [
    "Problem",
    "TypeSchema",
    "collect_schemas",
    "contract_document",
    "lock_document",
    "lock_entry",
    "package_contract",
    "read_lock",
    "task_contract",
]
