"""Rows that this release cannot read: logged once, then skipped by every sweep.

A newer release that was rolled back may have written unknown values, and someone may have edited a
row by hand. `Database` has the list of such rows.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Table, true
from sqlmodel import SQLModel, col

from bot.core.errors import UnreadableRow
from bot.core.typed_text import one_line
from storage.column_types import Illegible
from storage.session import Session
from storage.statements import Row
from storage.tables import OnboardingRow

log = logging.getLogger(__name__)

E = TypeVar("E", bound=StrEnum)
MAX_NAMED = 3  # in a warning; further ones are only counted
# SQLite and PostgreSQL accept some ten thousand parameters in a query.
MAX_EXCLUDED = 5000


class UnreadableRows:
    """The onboardings that could not be read, and why."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def add(self, error: UnreadableRow) -> None:
        """Remember an unreadable onboarding; log it, unless it was logged for the same reason."""
        if self._reasons.get(error.onboarding_id) != error.reason:
            self._reasons[error.onboarding_id] = error.reason
            extra = {"onboarding": error.onboarding_id, "reason": error.reason}
            log.error("an onboarding can't be read and is left alone", extra=extra)

    def discard(self, onboarding_id: str) -> None:
        """Note that an onboarding can be read again."""
        if self._reasons.pop(onboarding_id, None):
            log.info("an onboarding can be read again", extra={"onboarding": onboarding_id})

    @property
    def ids(self) -> list[str]:
        """The onboardings, in the order in which they were found."""
        return list(self._reasons)

    def warning(self) -> str | None:
        """Return which onboardings cannot be read; None if all can."""
        if not self._reasons:
            return None
        named = [f"{one} ({why})" for one, why in list(self._reasons.items())[:MAX_NAMED]]
        more = len(self._reasons) - len(named)
        return f"can't be read: {', '.join(named)}{f' and {more} more' if more else ''}"


def is_readable(session: Session) -> ColumnElement[bool]:
    """Return the condition that excludes the onboardings known to be unreadable."""
    ids = session.database.unreadable.ids[:MAX_EXCLUDED]
    return col(OnboardingRow.id).not_in(ids) if ids else true()


@contextmanager
def reading(session: Session, onboarding_id: str, client_name: str = "") -> Iterator[None]:
    """Turn errors about an onboarding read in the block into UnreadableRow, and remember it."""
    try:
        yield
    except UnreadableRow as error:
        session.database.unreadable.add(error)
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        unreadable = UnreadableRow(onboarding_id, one_line(str(client_name)), _reason(error))
        session.database.unreadable.add(unreadable)
        raise unreadable from error


class Unknown(ValueError):
    """A value that this release does not know; its text says so."""


def known(kind: type[E], value: str) -> E:
    """Return the member of `kind` with this value; raises Unknown."""
    try:
        return kind(value)
    except ValueError:
        raise Unknown(f"unknown {kind.__name__} “{str(value)[:40]}”") from None


def must_be_legible(
    row: SQLModel | Row, table: Table, names: tuple[str, ...] | None = None
) -> None:
    """Raise Unknown unless each column of a row, or each of `names`, has a value of its type."""
    for name, kind, nullable in _expected(table, names):
        value = getattr(row, name)
        is_legible = isinstance(value, kind) and not isinstance(value, Illegible)
        if not (nullable if value is None else is_legible):
            raise Unknown(f"{table.name}.{name} is broken")


@cache
def _expected(table: Table, names: tuple[str, ...] | None) -> Sequence[tuple[str, type, bool]]:
    """Return the name of each column, the type of its values, and whether it may be empty."""
    return [
        (column.key, column.type.python_type, bool(column.nullable or column.primary_key))
        for column in table.columns
        if names is None or column.key in names
    ]


def _reason(error: Exception) -> str:
    if isinstance(error, Unknown):
        return str(error)
    if isinstance(error, ValidationError):  # its text repeats what was read
        return f"broken {error.title}"
    return f"something in it isn't as expected ({type(error).__name__})"
