"""Seals what an onboarding's rows say, with the end of its history, under a key that no row holds.

Sealed are which version of each value is the newest, which is looked at wherever a value is used,
and three digests, which `onboarding db check` compares with the rows: whose the onboarding is, who
did which step, and who entered which value. A seal fits one end of one history, so that rows from
earlier don't fit a history that went on.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding import Onboarding
from storage.audit.seals import MissingKey, Seals
from storage.tables import CredentialRow, EventRow, OnboardingRow
from storage.to_rows import step_columns

CLIENT = (
    *("guide", "guide_version", "client_name", "client_team", "channel", "engineer"),
    *("client_admins", "account", "status", "reason"),
    *("started_at", "finished_at", "destroyed_at"),
)
STEP = ("number", "state", "by_user", "by_team", "by_role", "at", "handed_over")
VALUE = ("field", "version", "mask", "submitted_by_user", "submitted_by_team", "submitted_by_role")
# What a part is about, for who reads that it was altered.
PARTS = {
    "client": "whose onboarding it is: name, channel, engineer, the client's people, or status",
    "steps": "who did which step, or its state",
    "values": "who entered which value",
}
ALTERED = "altered"  # in a digest's place, for ever: going on doesn't hide it
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SealedState:
    """What is sealed, and its seal. An empty seal fits nothing."""

    versions: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    seal: str = ""

    @classmethod
    def of(cls, stored: Any) -> Self:
        """Take what stands in the onboarding's row, whatever somebody made of it."""
        match stored:
            case {"versions": dict(versions), "digests": dict(digests), "seal": str(seal)}:
                return cls(versions, digests, seal)
        return cls()

    @property
    def columns(self) -> dict[str, Any]:
        """The column of the onboarding."""
        return {"sealed_state": asdict(self)}

    def fits(self, seals: Seals, onboarding_id: str, end: str) -> bool:
        """Whether this was sealed for that end of the history; raises MissingKey."""
        return seals.fits_state(self.seal, onboarding_id, end, self.versions, self.digests)

    def moved(self, seals: Seals, onboarding_id: str, end: str, new_end: str) -> Self:
        """Seal the same for another end; what didn't fit the old one fits none from now on."""
        try:
            fits = self.fits(seals, onboarding_id, end)
        except MissingKey:
            fits = False
        return self._sealed(seals, onboarding_id, new_end) if fits else replace(self, seal="")

    def after(
        self, seals: Seals, before: Onboarding, after: Onboarding, ends: tuple[str, str]
    ) -> Self:
        """Seal the state after a change; what was altered before it doesn't fit afterwards either.

        `ends` are the history's end before the change and after it.
        """
        versions = {
            name: self.versions.get(name, 0) if _kept(name, before, after) else one.version
            for name, one in after.credentials.items()
        }
        was, now = digests_of(before), digests_of(after)
        digests = {
            part: now[part] if self.digests.get(part) == was[part] else ALTERED for part in PARTS
        }
        moved = replace(self.moved(seals, before.id, *ends), versions=versions, digests=digests)
        return moved._sealed(seals, before.id, ends[1]) if moved.seal else moved

    def _sealed(self, seals: Seals, onboarding_id: str, end: str) -> Self:
        return replace(self, seal=seals.state(onboarding_id, end, self.versions, self.digests))


def _kept(name: str, before: Onboarding, after: Onboarding) -> bool:
    was = before.credentials.get(name)
    return was is not None and was.version == after.credentials[name].version


def first(seals: Seals, onboarding_id: str, end: str, digests: Row, versions: Row) -> SealedState:
    """Seal a state for the first time."""
    return SealedState(versions, digests)._sealed(seals, onboarding_id, end)


def digests_of(onboarding: Onboarding) -> Mapping[str, str]:
    """Return the digests of an onboarding, as `digests` makes them of its rows."""
    guide = {"guide": onboarding.guide.id, "guide_version": onboarding.guide.version}
    client = {name: getattr(onboarding, name) for name in CLIENT if name not in guide}
    values = [
        {
            "field": name,
            "version": one.version,
            "mask": one.mask,
            "submitted_by_user": one.by.user_id,
            "submitted_by_team": one.by.team_id,
            "submitted_by_role": one.by.role.value,
        }
        for name, one in onboarding.credentials.items()
    ]
    steps = [step_columns(onboarding.id, one) for one in onboarding.steps]
    return digests({**guide, **client}, steps, values)


def digests(client: Row, steps: Iterable[Row], values: Iterable[Row]) -> Mapping[str, str]:
    """Return a digest of each part of an onboarding's rows."""
    return {
        "client": _digest([client[name] for name in CLIENT]),
        "steps": _digest(sorted(map(_step, steps), key=lambda one: str(one[0]))),
        "values": _digest(sorted(str([one[name] for name in VALUE]) for one in values)),
    }


def _step(row: Row) -> list[Any]:
    by = [row["by_user"], row["by_team"] or "", row["by_role"]]
    who = by if row["by_user"] and row["by_role"] else None
    return [row["number"], row["state"], row["at"], row["handed_over"], who]


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(ENCODER.encode(content).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return type(value).__name__  # illegible: it fits nothing that we wrote


ENCODER = json.JSONEncoder(default=_plain)


async def newest_versions(
    session: AsyncSession, onboarding_ids: Collection[str] | None = None
) -> dict[tuple[str, str], int]:
    """Return the version that each value must have, by onboarding and field; of all, or of some.

    None of an onboarding whose state doesn't fit its seal and the end of its history.
    """
    seals: Seals = session.info["seals"]
    head, event = OnboardingRow, EventRow
    any_event = aliased(EventRow)
    newest = (
        select(func.max(any_event.position))
        .where(col(any_event.onboarding_id) == col(head.id))
        .scalar_subquery()
    )
    names = (head.id, head.history_length, head.history_end, head.sealed_state, event.seal)
    query: Select[Any] = (
        select(*names, newest)  # type: ignore[call-overload]
        .join(event, col(event.onboarding_id) == col(head.id))
        .where(col(event.position) == col(head.history_length))
    )
    if onboarding_ids is None:
        query = query.where(col(head.id).in_(select(col(CredentialRow.onboarding_id))))
    else:
        query = query.where(col(head.id).in_(onboarding_ids))
    found: dict[tuple[str, str], int] = {}
    rows = await (await session.connection()).execute(query)
    for onboarding_id, length, end, stored, seal, longest in rows:
        state = SealedState.of(stored)
        try:
            whole = (longest, end) == (length, seals.end(onboarding_id, length, seal))
            if whole and state.fits(seals, onboarding_id, end):
                found |= {(onboarding_id, name): one for name, one in state.versions.items()}
        except (MissingKey, AttributeError, TypeError):
            continue
    return found
