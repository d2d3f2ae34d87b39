"""Column types: times that are always aware and in UTC, on SQLite as on PostgreSQL; JSON.

SQLite takes anything for a time or for JSON. What is neither is read as `Illegible`, so that one
broken value does not end a query for many rows.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine


class Illegible:
    """Stands for a value that is not of its column's type."""


def _lenient(process: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    def read(value: Any) -> Any:
        try:
            return process(value) if process else value
        except (ValueError, TypeError, RecursionError):
            return Illegible()

    return read if process else None


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite keeps no zone, so it is put back when the value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return `value` in UTC; naive times are refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC) if value else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what is no time as Illegible."""
        return _lenient(super().result_processor(dialect, coltype))

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return `value` as an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON. What is none is read as Illegible."""

    impl = JSON
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        """Anything: JSON has many types."""
        return object

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what is no JSON as Illegible."""
        return _lenient(super().result_processor(dialect, coltype))


class AnyTime(TypeDecorator[Any]):
    """Reads a `UtcDateTime`, or whatever somebody put in its place: that stays as it is."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Read SQLite's text as text: only there can a time be none."""
        return String() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        """Return an aware time, or `value` itself."""
        if not isinstance(value, str):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return value if moment.tzinfo else moment.replace(tzinfo=UTC)
