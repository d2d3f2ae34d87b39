"""Runs statements that are compiled once, as those of a press are, straight on the driver.

To execute a statement takes SQLAlchemy longer than SQLite takes to answer (docs/decisions.md).
Nothing that the ORM has not written yet is flushed before.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Dialect, Insert, Select, TextClause, Update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

Statement: TypeAlias = Select[Any] | Insert | Update | TextClause
Parameters: TypeAlias = Mapping[str, Any]
Processors = Sequence[tuple[str, Callable[[Any], Any]]]


class Row(Protocol):
    """A named tuple of the columns."""

    def __getattr__(self, name: str) -> Any: ...


class Transaction(Protocol):
    """A transaction on a driver's connection; raises the driver's own errors."""

    dialect: Dialect

    async def begin(self, *, write: bool) -> None: ...

    async def commit(self) -> None: ...

    @property
    def is_closed(self) -> bool:
        """Whether the connection was lost, or given up."""

    async def execute(self, sql: str, parameters: Any) -> tuple[Sequence[Any], int]:
        """Return the rows that a statement gives, and how many it found or changed."""

    async def execute_all(self, sql: str, parameters: Sequence[Any]) -> None:
        """Execute a statement with each of these parameters."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement for one kind of database, and how to convert what goes in and comes out."""

    sql: str
    constants: Parameters
    order: Sequence[str] | None  # of the parameters, if they go by position
    written: Processors
    row: Callable[..., Any]
    read: Sequence[Callable[[Any], Any] | None]

    def parameters(self, given: Parameters) -> Any:
        values = {**self.constants, **given}
        for name, convert in self.written:
            values[name] = convert(values[name])
        return values if self.order is None else [values[name] for name in self.order]

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Row]:
        read = self.read
        return [
            self.row(
                *(
                    value if convert is None else convert(value)
                    for value, convert in zip(one, read, strict=True)
                )
            )
            for one in found
        ]


def driver_connection(connection: AsyncConnection) -> Any:
    """Return what the driver calls a connection."""
    assert connection.sync_connection  # noqa: S101 (it is connected; for the type checker)
    return connection.sync_connection.connection.driver_connection


async def fetch(session: AsyncSession, statement: Statement, parameters: Parameters) -> list[Row]:
    """Return the rows of a query, or those that a statement returns."""
    transaction: Transaction = session.info["transaction"]
    compiled = _compiled_for(transaction.dialect, statement, parameters)
    rows, _ = await transaction.execute(compiled.sql, compiled.parameters(parameters))
    return compiled.rows(rows)


async def first(session: AsyncSession, statement: Statement, parameters: Parameters) -> Row | None:
    """Return the first row of `fetch`, if there is any."""
    rows = await fetch(session, statement, parameters)
    return rows[0] if rows else None


async def execute(session: AsyncSession, statement: Statement, parameters: Parameters) -> int:
    """Execute a statement; return how many rows it changed."""
    transaction: Transaction = session.info["transaction"]
    compiled = _compiled_for(transaction.dialect, statement, parameters)
    _, count = await transaction.execute(compiled.sql, compiled.parameters(parameters))
    return count


async def execute_all(
    session: AsyncSession, statement: Statement, parameters: Sequence[Parameters]
) -> None:
    """Execute a statement with each of these parameters, which all have the same names."""
    if len(parameters) == 1:
        await execute(session, statement, parameters[0])
    elif parameters:
        transaction: Transaction = session.info["transaction"]
        compiled = _compiled_for(transaction.dialect, statement, parameters[0])
        await transaction.execute_all(compiled.sql, [*map(compiled.parameters, parameters)])


# By the kind of database, the statement, and the columns that are written.
_compiled: dict[tuple[Any, ...], Compiled] = {}


def _compiled_for(dialect: Dialect, statement: Statement, parameters: Parameters) -> Compiled:
    key = (dialect.name, statement, *parameters)
    if key not in _compiled:
        _compiled[key] = _compile(dialect, statement, [*parameters])
    return _compiled[key]


def _compile(dialect: Dialect, statement: Statement, names: Sequence[str]) -> Compiled:
    compiled: Any = statement.compile(dialect=dialect, column_keys=names)
    expanded = compiled.construct_expanded_state(dict.fromkeys(names))
    columns = () if isinstance(statement, TextClause) else statement.exported_columns
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
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ],
    )
