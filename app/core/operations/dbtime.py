"""The database's own clock in SQL: the only one on which several hosts agree when a lease ends."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.core.columns import UtcDateTime


class database_now(FunctionElement[Any]):  # noqa: N801  (reads as the SQL function it is)
    """The moment the statement runs, plus a number of seconds."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: Any = 0.0) -> None:
        super().__init__(seconds)


@compiles(database_now)
def _postgresql(element: database_now, compiler: Any, **kw: Any) -> str:
    # now() is the start of the transaction; a lease runs from the moment it is taken
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(database_now, "sqlite")
def _sqlite(element: database_now, compiler: Any, **kw: Any) -> str:
    # written like SQLAlchemy stores moments (six decimals), so that text compares as time
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {compiler.process(element.clauses, **kw)} || ' seconds')"
