"""Verifies that every history matches its seals, and reports what was altered."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, Text, cast
from sqlmodel import col, func, select

from bot.core.english import first_of
from bot.onboarding import EventKind
from storage.audit.head_log import Heads
from storage.audit.seals import BEGINNING, End, Entry, MissingKey, Seals
from storage.audit.verify_rows import STEPS, VALUES, altered, pages, rows_of
from storage.session import Session
from storage.tables import CredentialRow, EventRow, OnboardingRow, StepRow

MAX_NAMED = 20  # problems; further ones are only counted


@dataclass(slots=True)
class AuditReport:
    """The result for all histories. `late` events are older than their seals."""

    onboardings: int = 0
    events: int = 0
    late: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """A line for each missing key, and for each of the first mismatches."""
        lines = [missing_key(key, count) for key, count in sorted(self.missing.items())]
        return [*lines, *first_of(self.broken, MAX_NAMED)]


class HistoryVerifier:
    """Verifies one history, event by event in order of position."""

    def __init__(
        self,
        seals: Seals,
        onboarding_id: str,
        remark: str,
        logged: Mapping[int, str] | None = None,
    ) -> None:
        """Take a `remark` for the reader, and the logged heads by length."""
        self._logged = dict(logged or {})
        self._seals, self._onboarding_id = seals, onboarding_id
        self._name = f"onboarding {onboarding_id} ({remark})"
        self.problems: list[str] = []
        self.missing: Counter[str] = Counter()
        self._position = self._id = 0
        self._seal: str | None = None  # of the previous event; None if that one is gone
        self._run: list[Entry] = []  # the first and the last of consecutive altered events

    def next(self, row: Row[Any]) -> Entry:
        """Verify the next event, and return its sealed part."""
        entry, name = _entry(row), f"event {row.position} ({row.kind}), row {row.id},"
        position: Any = entry.position
        if not isinstance(position, int) or position <= self._position:
            self._report(f"{name} was inserted: its place is taken")
            return entry
        gone = range(self._position + 1, position)
        if gone:
            self._report(f"{_numbered(gone[0], gone[-1])} removed")
        before = None if gone else self._seal
        if row.id <= self._id:
            self._report(f"{name} was put elsewhere: the order was changed")
        elif (before is not None or position == 1) and not self._fits(entry, row.seal, before):
            self._run = [*self._run[:1], entry]
        else:
            self._report_run()
        self._position, self._id, self._seal = position, max(self._id, row.id), row.seal
        if head := self._logged.pop(position, None):
            self._compare(head, position)
        return entry

    def _compare(self, head: str, position: int) -> None:
        """Compare a logged head with the history's head at that position."""
        there = self._end() or ""
        same_key = head.partition(":")[0] == there.partition(":")[0]  # else it was rotated since
        if same_key and not there.startswith(head):  # the log has 64 bits of it
            self._report(f"up to event {position} it isn't the history that the log knew")

    def finish(self, end: End) -> None:
        """Compare the events with the end that is stored with the onboarding."""
        self._report_run()
        if self._logged and max(self._logged) > self._position:
            self._report(
                f"it ends with event {self._position}, and the log knew {max(self._logged)}: events"
                " were cut off, or an earlier state was put back"
            )
        length: Any = end.length
        if self._position == 0:
            self._report("all its events were removed")
        elif not isinstance(length, int) or self._position > length:
            self._report(f"events were inserted after event {length}, the last one it knows")
        elif self._position < length:
            self._report(f"{_numbered(self._position + 1, length)} cut off at its end")
        elif self._end() not in (end.seal, None):
            self._report("events were cut off or inserted at its end: that does not fit its seal")

    def _fits(self, entry: Entry, seal: str, before: str | None) -> bool:
        try:
            end = BEGINNING
            if before is not None:
                end = self._seals.end(self._onboarding_id, self._position, before)
            return self._seals.fits(seal, entry, end)
        except MissingKey as missing:
            self.missing[str(missing)] += 1
            return True  # can't be verified
        except (AttributeError, TypeError, ValueError):  # we never write such a value
            return False

    def _end(self) -> str | None:
        """Return the end for the events so far; None if the newest seal's key is missing."""
        try:
            return self._seals.end(self._onboarding_id, self._position, self._seal or "")
        except MissingKey:  # reported already
            return None
        except (AttributeError, TypeError):  # that seal isn't even a text
            return ""

    def _report_run(self) -> None:
        run, self._run = self._run, []
        match run:
            case [one]:
                text = "was edited, or cut off from what was before it"
                self._report(f"event {one.position} ({one.kind}) {text}")
            case [first, last]:
                text = "do not fit: from there on something was edited, removed or inserted"
                self._report(f"events {first.position} to {last.position} {text}")

    def _report(self, text: str) -> None:
        self._report_run()
        self.problems.append(f"{self._name}: {text}")


async def verify(session: Session, logged: Heads | None = None) -> AuditReport:
    """Compare all histories and rows with their seals, and with the `logged` heads.

    Reads everything, but holds only one page of onboardings.
    """
    seals, report, altered_rows = session.database.seals, AuditReport(), list[str]()
    left = dict(logged or {})
    async for page in pages(session):
        ids = [head.id for head in page]
        events = await rows_of(session, EVENTS, EventRow, ids)
        steps = await rows_of(session, STEPS, StepRow, ids)
        values = await rows_of(session, VALUES, CredentialRow, ids)
        for head in page:
            verifier = HistoryVerifier(seals, head.id, head.client_name, left.pop(head.id, None))
            for row in events[head.id]:
                entry = verifier.next(row)
                if entry.kind == EventKind.HISTORY_SEALED and isinstance(entry.position, int):
                    report.late += entry.position - 1
            verifier.finish(End(head.history_length, head.history_end))
            report.onboardings += 1
            report.events += len(events[head.id])
            report.missing += verifier.missing
            report.broken += verifier.problems
            altered_rows += altered(seals, head, steps[head.id], values[head.id])
    report.broken += altered_rows
    report.broken += (
        f"onboarding {gone}: the log knew it, and it is gone" for gone in sorted(left)
    )
    is_orphan = col(EventRow.onboarding_id).not_in(select(OnboardingRow.id))
    if count := (await session.exec(select(func.count()).where(is_orphan))).one():
        report.broken.append(f"{count} events belong to onboardings that are gone")
    return report


# An altered row may contain anything, so columns are read without being interpreted.
EVENTS: Select[Any] = select(  # type: ignore[call-overload]
    *(getattr(EventRow, name) for name in Entry._fields if name != "detail"),
    cast(EventRow.detail, Text).label("detail"),
    EventRow.id,
    EventRow.seal,
).order_by(col(EventRow.position), col(EventRow.id))


def _entry(row: Row[Any]) -> Entry:
    detail: Any = row.detail
    with suppress(TypeError, ValueError):
        detail = json.loads(detail)
    return Entry._make((*row[:7], detail, row.at))


def _numbered(first: int, last: int) -> str:
    return f"event {first} was" if first == last else f"events {first} to {last} were"


def missing_key(key: str, count: int) -> str:
    """Return the line for events whose seals cannot be verified."""
    return f"key {key} is not among CREDENTIAL_KEYS: {count} events cannot be checked without it"
