"""Runs statements that are compiled once, such as those of a press, directly on the driver.

SQLAlchemy takes longer to execute a statement than SQLite to answer it (docs/decisions.md).
Pending changes of the ORM are not flushed first.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Dialect, Insert, Select, TextClause, TextualSelect, Update

from storage.session import Session

Statement: TypeAlias = Select[Any] | Insert | Update | TextClause | TextualSelect
Parameters: TypeAlias = Mapping[str, Any]


class Row(Protocol):
    """A named tuple of the columns."""

    def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement for one kind of database, and how to convert its parameters and results."""

    sql: str
    constants: Parameters
    order: Sequence[str] | None  # of the parameters, if they are positional
    written: Sequence[tuple[str, Callable[[Any], Any]]]
    row: Callable[..., Any]
    read: Sequence[tuple[int, Callable[[Any], Any]]]

    def parameters(self, given: Parameters) -> Any:
        values = {**self.constants, **given}
        for name, convert in self.written:
            values[name] = convert(values[name])
        return values if self.order is None else [values[name] for name in self.order]


async def fetch(session: Session, statement: Statement, parameters: Parameters) -> list[Row]:
    """Return the rows of a query, or those that a statement returns."""
    compiled = _compiled(session.transaction.dialect, statement, tuple(parameters))
    found, _ = await session.transaction.execute(compiled.sql, compiled.parameters(parameters))
    rows = []
    for values in map(list, found):
        for position, convert in compiled.read:
            values[position] = convert(values[position])
        rows.append(compiled.row(*values))
    return rows


async def execute(session: Session, statement: Statement, *parameters: Parameters) -> int:
    """Execute a statement with each of these parameters, which all have the same names.

    Return how many rows it changed, if it was executed once.
    """
    if not parameters:
        return 0
    compiled = _compiled(session.transaction.dialect, statement, tuple(parameters[0]))
    values = map(compiled.parameters, parameters)
    return (await session.transaction.execute(compiled.sql, *values))[1]


async def apply(session: Session, statement: Update) -> bool:
    """Execute an update that is made for one call; return whether it changed any row.

    Objects that the session has loaded stay as they are: to bring them up to date, the ORM might
    add RETURNING, and then SQLite doesn't count the rows.
    """
    options = {"synchronize_session": False}
    return bool((await session.exec(statement, execution_options=options)).rowcount)


@lru_cache(500)
def _compiled(dialect: Dialect, statement: Statement, names: Sequence[str]) -> Compiled:
    compiled: Any = statement.compile(dialect=dialect, column_keys=names)
    expanded = compiled.construct_expanded_state(dict.fromkeys(names))
    columns = () if isinstance(statement, TextClause) else statement.exported_columns
    types = [column.type.dialect_impl(dialect) for column in columns]
    return Compiled(
        sql=expanded.statement,
        constants=expanded.parameters,
        order=expanded.positiontup,
        written=[
            (name, convert)
            for bound, name in compiled.bind_names.items()
            if name in expanded.parameters
            and (convert := bound.type.dialect_impl(dialect).bind_processor(dialect))
        ],
        row=namedtuple("Row", [str(column.key) for column in columns]),
        read=[
            (position, convert)
            for position, kind in enumerate(types)
            if (convert := kind.result_processor(dialect, None))
        ],
    )
