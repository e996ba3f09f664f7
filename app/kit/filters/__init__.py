"""One filter language: lists, saved lists, bulk selections, exports and campaigns all speak it (PLT-02).

As JSON: {"and": [{"field": "status", "op": "eq", "value": "new"}, {"or": [...]}]}. In URLs also `f=status:eq:new`, once per
condition, all of which must hold.
"""

from app.kit.filters.compiler import compile_filter, search_clause
from app.kit.filters.language import Condition, Group, from_json, from_url, to_json
from app.kit.filters.operators import OPERATORS, Operator, operators_for

__all__ = [
    "OPERATORS",
    "Condition",
    "Group",
    "Operator",
    "compile_filter",
    "from_json",
    "from_url",
    "operators_for",
    "search_clause",
    "to_json",
]
