"""Column types for times, always aware and in UTC, and for JSON.

SQLite accepts any value in such columns. An invalid one is read as `Illegible`, so that it doesn't
fail a query for many rows.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class Illegible:
    """A stored value that is not of its column's type."""


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite stores no zone, so it is added when the value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return `value` in UTC; raises ValueError for a naive time."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC) if value else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        parse = self.impl_instance.result_processor(dialect, coltype)

        def read(value: Any) -> Any:
            if value is None:
                return None
            try:
                moment: Any = parse(value) if parse else value
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            except (ValueError, TypeError, AttributeError):
                return Illegible()

        return read


class Json(TypeDecorator[Any]):
    """JSON; anything else is read as Illegible."""

    impl = JSON
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return object

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        parse = super().result_processor(dialect, coltype)

        def read(value: Any) -> Any:
            try:
                return parse(value) if parse else value
            except (ValueError, TypeError, RecursionError):
                return Illegible()

        return read if parse else None
