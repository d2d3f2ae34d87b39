"""Copies everything from one database into another, empty one, such as SQLite to PostgreSQL.

Rows are copied as they are, so ciphertexts, seals and fingerprints stay valid. The source is read
in one snapshot, the target is written in one transaction, and both are compared before it commits.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from storage import migrate
from storage.audit.seals import Seals
from storage.column_types import Illegible
from storage.database import is_sqlite, sync_engine

BATCH = 500
# PostgreSQL has its own counter for the next event id (storage/tables.py, EventRow).
GO_ON_COUNTING = "SELECT setval(pg_get_serial_sequence('event', 'id'), max(id)) FROM event"


class NotCopied(Exception):
    """Nothing was copied, for the reason in the text; the target has new, empty tables at most."""


def copy(source_url: str, target_url: str, seals: Seals) -> Mapping[str, int]:
    """Copy all rows and return how many each table has.

    Raises NotCopied if the target has rows or can't hold the source's, migrate.Unusable, and
    SQLAlchemy's errors.
    """
    migrate.check(source_url)
    migrate.upgrade(target_url, seals=seals)
    tables = SQLModel.metadata.sorted_tables  # referenced tables first
    with _reading(source_url) as source, sync_engine(target_url).begin() as target:
        for table in tables:
            if target.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                raise NotCopied(f"{migrate.where(target_url)}: its table {table.name} isn't empty")
        counts = {table.name: _copy_table(table, source, target) for table in tables}
        if not is_sqlite(target_url):
            target.execute(sa.text(GO_ON_COUNTING))
        for table in tables:
            if _digest(table, source) != _digest(table, target):
                raise NotCopied(f"table {table.name}: the copy differs from the original")
    return counts


def _copy_table(table: sa.Table, source: sa.Connection, target: sa.Connection) -> int:
    count = 0
    for rows in _rows(table, source).partitions(BATCH):
        target.execute(sa.insert(table), [_legible(table, dict(row)) for row in rows])
        count += len(rows)
    return count


def _rows(table: sa.Table, connection: sa.Connection) -> sa.MappingResult:
    ordered = sa.select(table).order_by(*table.primary_key.columns)
    return connection.execution_options(yield_per=BATCH).execute(ordered).mappings()


def _legible(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row if it can be written; an unreadable one would be lost, so it is an error."""
    broken = [name for name, value in row.items() if isinstance(value, Illegible)]
    if broken:
        key = ", ".join(str(row[column.name]) for column in table.primary_key.columns)
        raise NotCopied(f"table {table.name}, row {key}: {', '.join(broken)} can't be read")
    return row


def _digest(table: sa.Table, connection: sa.Connection) -> str:
    """Return a checksum of all rows of a table, regardless of their order."""
    total = 0
    for row in _rows(table, connection):
        text = json.dumps(dict(row), default=_plain, sort_keys=True)
        total += int.from_bytes(hashlib.sha256(text.encode()).digest())
    return f"{total:x}"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else bytes(value).hex()


@contextmanager
def _reading(url: str) -> Iterator[sa.Connection]:
    """Yield a connection that sees a single snapshot."""
    options = {} if is_sqlite(url) else {"isolation_level": "REPEATABLE READ"}
    with sync_engine(url).connect() as connection:
        connection = connection.execution_options(**options)
        if is_sqlite(url):  # otherwise each SELECT would see its own snapshot
            connection.exec_driver_sql("BEGIN")
        yield connection
        connection.rollback()
