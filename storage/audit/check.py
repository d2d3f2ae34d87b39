"""Whether the histories fit their seals, and sealing them anew with another key."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, bindparam, cast, type_coerce
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding import EventKind
from storage.audit.comparison import altered
from storage.audit.heads import Heads, short
from storage.audit.seals import BEGINNING, Entry, MissingKey, Seals
from storage.column_types import AnyTime
from storage.history import End, end_of, move_end
from storage.tables import EventRow, OnboardingRow

PAGE = 1000
NAMED = 20  # problems, before we only count them


@dataclass(slots=True)
class Checked:
    """What a check of all histories found. `late` events are older than their seals."""

    onboardings: int = 0
    events: int = 0
    late: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    unnamed: int = 0

    @property
    def problems(self) -> list[str]:
        """A line for each missing key, and for each of the first things that do not fit."""
        lines = [_missing(key, count) for key, count in sorted(self.missing.items())]
        more = [f"and {self.unnamed} more like these"] if self.unnamed else []
        return [*lines, *self.broken, *more]

    def note(self, lines: Sequence[str]) -> None:
        """Take up what doesn't fit."""
        room = NAMED - len(self.broken)
        self.broken += lines[:room]
        self.unnamed += len(lines[room:])


class Broken(Exception):
    """A history that does not fit its seals, or whose key is missing; a line for each reason."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Take the lines."""
        super().__init__("; ".join(lines))
        self.lines = lines


class Walk:
    """Goes along one history, by position, and notes what does not fit."""

    def __init__(
        self,
        seals: Seals,
        onboarding_id: str,
        remark: str,
        noted: Mapping[int, str] | None = None,
    ) -> None:
        """Begin; the `remark` is for the reader. `noted` are heads by length, from a log."""
        self._noted = dict(noted or {})
        self._seals, self._onboarding_id = seals, onboarding_id
        self._name = f"onboarding {onboarding_id} ({remark})"
        self.problems: list[str] = []
        self.missing: Counter[str] = Counter()
        self._position = self._id = 0
        self._seal: str | None = None  # of the event before; None where that one is gone
        self._run: list[Entry] = []  # the first and the last of the altered ones just passed

    def pass_by(self, row: Row[Any]) -> Entry:
        """Look at the next event, and return what is sealed of it."""
        entry, name = _read(row), f"event {row.position} ({row.kind}), row {row.id},"
        position: Any = entry.position
        if not isinstance(position, int) or position <= self._position:
            self._note(f"{name} was inserted: its place is taken")
            return entry
        gone = range(self._position + 1, position)
        if gone:
            self._note(f"{_numbered(gone[0], gone[-1])} removed")
        before = None if gone else self._seal
        if row.id <= self._id:
            self._note(f"{name} was put elsewhere: the order was changed")
        elif (before is not None or position == 1) and not self._fits(entry, row.seal, before):
            self._run = [*self._run[:1], entry]
        else:
            self._end_run()
        self._position, self._id, self._seal = position, max(self._id, row.id), row.seal
        if head := self._noted.pop(position, None):
            self._compare(head, position)
        return entry

    def _compare(self, head: str, position: int) -> None:
        """Compare a head that was noted with the one that the history has at that place."""
        try:
            there = short(self._seals.end(self._onboarding_id, position, self._seal or ""))
        except (MissingKey, AttributeError, TypeError):
            return
        same_key = head.partition(":")[0] == there.partition(":")[0]  # else it was rotated since
        if same_key and head != there:
            self._note(f"up to event {position} it isn't the history that the log knew")

    def finish(self, end: End) -> None:
        """Compare what was passed by with the end that the onboarding keeps."""
        self._end_run()
        if self._noted and max(self._noted) > self._position:
            self._note(
                f"it ends with event {self._position}, and the log knew {max(self._noted)}: events "
                "were cut off, or an earlier state was put back"
            )
        length: Any = end.length
        if self._position == 0:
            self._note("all its events were removed")
        elif not isinstance(length, int) or self._position > length:
            self._note(f"events were inserted after event {length}, the last one it knows")
        elif self._position < length:
            self._note(f"{_numbered(self._position + 1, length)} cut off at its end")
        elif not self._ends(end):
            self._note("events were cut off or inserted at its end: that does not fit its seal")

    def _fits(self, entry: Entry, seal: str, before: str | None) -> bool:
        try:
            end = BEGINNING
            if before is not None:
                end = self._seals.end(self._onboarding_id, self._position, before)
            return self._seals.fits(seal, entry, end)
        except MissingKey as missing:
            self.missing[str(missing)] += 1
            return True  # nobody can tell
        except (AttributeError, TypeError, ValueError):  # no such thing was ever written by us
            return False

    def _ends(self, end: End) -> bool:
        try:
            return end.seal == self._seals.end(
                self._onboarding_id, self._position, self._seal or ""
            )
        except MissingKey:  # noted already
            return True
        except (AttributeError, TypeError):
            return False

    def _end_run(self) -> None:
        run, self._run = self._run, []
        match run:
            case [one]:
                text = "was edited, or cut off from what was before it"
                self._note(f"event {one.position} ({one.kind}) {text}")
            case [first, last]:
                text = "do not fit: from there on something was edited, removed or inserted"
                self._note(f"events {first.position} to {last.position} {text}")

    def _note(self, text: str) -> None:
        self._end_run()
        self.problems.append(f"{self._name}: {text}")


async def check(session: AsyncSession, noted: Heads | None = None) -> Checked:
    """Compare every history, and what the rows say, with their seals, and with `noted` heads.

    Reads them all, but holds only a page of them.
    """
    seals: Seals = session.info["seals"]
    found, walk, end, current = Checked(), None, End(), None
    left = dict(noted or {})

    def finish(walk: Walk) -> None:
        walk.finish(end)
        found.missing += walk.missing
        found.note(walk.problems)

    async for row in _all(session):
        if row.onboarding != current:
            if walk:
                finish(walk)
            current, end = row.onboarding, End(row.history_length, row.history_end)
            walk = Walk(seals, row.onboarding, row.client_name, left.pop(row.onboarding, None))
            found.onboardings += 1
        if walk and row.id is not None:
            found.events += 1
            entry = walk.pass_by(row)
            if entry.kind == EventKind.HISTORY_SEALED and isinstance(entry.position, int):
                found.late += entry.position - 1
    if walk:
        finish(walk)
    async for onboarding_id, client, text in altered(session):
        found.note([f"onboarding {onboarding_id} ({client}): {text}"])
    found.note([f"onboarding {one}: the log knew it, and it is gone" for one in sorted(left)])
    if strays := await _strays(session):
        found.note([f"{strays} events belong to onboardings that are gone"])
    return found


async def _all(session: AsyncSession) -> AsyncIterator[Row[Any]]:
    """Yield all events, with the end of their history: one statement, so they fit together."""
    head = OnboardingRow
    query = (
        _EVENTS.add_columns(
            col(head.id).label("onboarding"),
            col(head.client_name),
            col(head.history_length),
            col(head.history_end),
        )
        .select_from(head)
        .join(EventRow, col(EventRow.onboarding_id) == col(head.id), isouter=True)
        .order_by(col(head.id), col(EventRow.position), col(EventRow.id))
        .execution_options(yield_per=PAGE)
    )
    async for page in (await (await session.connection()).stream(query)).partitions():
        for row in page:
            yield row


async def _strays(session: AsyncSession) -> int:
    row = EventRow
    query = select(func.count()).where(col(row.onboarding_id).not_in(select(OnboardingRow.id)))
    return (await session.exec(query)).one()


# Somebody who altered rows may have put anything there: it is read without being understood.
_EVENTS: Select[Any] = select(  # type: ignore[call-overload]
    *(getattr(EventRow, name) for name in Entry._fields if name not in ("detail", "at")),
    cast(EventRow.detail, Text).label("detail"),
    type_coerce(EventRow.at, AnyTime).label("at"),
    EventRow.id,
    EventRow.seal,
)

_SEALED_ANEW = (
    update(EventRow).where(col(EventRow.id) == bindparam("row")).values(seal=bindparam("mark"))
)


def _read(row: Row[Any]) -> Entry:
    detail: Any = row.detail
    with suppress(TypeError, ValueError):
        detail = json.loads(detail)
    return Entry._make((*row[:7], detail, row.at))


def _numbered(first: int, last: int) -> str:
    return f"event {first} was" if first == last else f"events {first} to {last} were"


def _missing(key: str, count: int) -> str:
    return f"key {key} is not among CREDENTIAL_KEYS: {count} events cannot be checked without it"


# --- sealing anew ---


async def count_sealed_by_others(session: AsyncSession) -> int:
    """Return how many histories another key than the first one sealed, if only in part."""
    query = select(func.count(col(EventRow.onboarding_id).distinct()))
    return (await session.exec(query.where(_by_others(session)))).one()


async def sealed_by_others(session: AsyncSession, after: str, limit: int) -> Sequence[str]:
    """Return some of these, by the onboarding's id; all of them come after `after`."""
    row = EventRow
    where = (col(row.onboarding_id) > after, _by_others(session))
    query = select(row.onboarding_id).where(*where).distinct().order_by(col(row.onboarding_id))
    return (await session.exec(query.limit(limit))).all()


def _by_others(session: AsyncSession) -> ColumnElement[bool]:
    seals: Seals = session.info["seals"]
    return ~col(EventRow.seal).startswith(seals.prefix)


async def reseal(session: AsyncSession, onboarding_id: str) -> int:
    """Seal one history with the first key, and return how many events it has.

    Raises Broken, for the transaction to be rolled back, unless it fits the seals it has.
    """
    seals: Seals = session.info["seals"]
    before = await end_of(session, onboarding_id)
    walk, after = Walk(seals, onboarding_id, "left as it is"), End()
    while page := await _page(session, onboarding_id, after.length):
        anew = []
        for row in page:
            entry = walk.pass_by(row)
            if walk.problems or walk.missing:
                break
            seal = seals.seal(entry, after.seal)
            after = End(entry.position, seals.end(onboarding_id, entry.position, seal))
            anew.append({"row": row.id, "mark": seal})
        _must_be_whole(walk)
        await (await session.connection()).execute(_SEALED_ANEW, anew)
    walk.finish(before)
    _must_be_whole(walk)
    await move_end(session, onboarding_id, before, after)
    return after.length


def _must_be_whole(walk: Walk) -> None:
    lines = [_missing(key, count) for key, count in walk.missing.items()]
    if walk.problems or lines:
        raise Broken([*walk.problems, *lines])


async def _page(session: AsyncSession, onboarding_id: str, after: int) -> Sequence[Row[Any]]:
    row = EventRow
    query = _EVENTS.where(col(row.onboarding_id) == onboarding_id, col(row.position) > after)
    connection = await session.connection()
    return list(await connection.execute(query.order_by(col(row.position)).limit(PAGE)))
