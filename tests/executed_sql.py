"""Sees every statement of the bot, through SQLAlchemy or straight on the driver."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import storage.postgresql
import storage.sqlite

TRANSACTIONS: tuple[Any, ...] = (storage.sqlite.Transaction, storage.postgresql.Transaction)
Note = Callable[[str, Any], None]


@contextmanager
def noted_by(note: Note) -> Iterator[None]:
    """Give `note` each statement with its (first) parameters while the block runs."""

    def through_sqlalchemy(
        _connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool
    ) -> None:
        note(sql, values[0] if many else values)

    event.listen(Engine, "before_cursor_execute", through_sqlalchemy)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for kind in TRANSACTIONS:
                patch.setattr(kind, "execute", _noting(kind.execute, note))
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", through_sqlalchemy)


def _noting(execute: Callable[..., Awaitable[Any]], note: Note) -> Callable[..., Awaitable[Any]]:
    async def noting(transaction: Any, sql: str, *parameters: Any) -> Any:
        note(sql, parameters[0] if parameters else ())
        return await execute(transaction, sql, *parameters)

    return noting
