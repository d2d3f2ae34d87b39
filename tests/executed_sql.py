"""Observes every SQL statement of the bot, through SQLAlchemy or directly on the driver."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import storage.postgresql
import storage.sqlite

TRANSACTIONS: tuple[Any, ...] = (storage.sqlite.Transaction, storage.postgresql.Transaction)
Observer = Callable[[str, Any], None]


@contextmanager
def observe_sql(callback: Observer) -> Iterator[None]:
    """Call back with each statement and its (first) parameters while the block runs."""

    def through_sqlalchemy(
        _connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool
    ) -> None:
        callback(sql, values[0] if many else values)

    event.listen(Engine, "before_cursor_execute", through_sqlalchemy)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for kind in TRANSACTIONS:
                patch.setattr(kind, "execute", _observed(kind.execute, callback))
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", through_sqlalchemy)


def _observed(
    execute: Callable[..., Awaitable[Any]], callback: Observer
) -> Callable[..., Awaitable[Any]]:
    async def observed_execute(transaction: Any, sql: str, *parameters: Any) -> Any:
        callback(sql, parameters[0] if parameters else ())
        return await execute(transaction, sql, *parameters)

    return observed_execute
