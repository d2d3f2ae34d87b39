"""Seals an onboarding's rows together with the end of its history.

The seal covers the newest version of each value, which is checked wherever a value is used, and
three digests that `onboarding db check` compares with the rows: whose the onboarding is, who did
which step, and who entered which value. A seal belongs to one end of one history, so older rows
don't match a history that has grown since.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.onboarding import Onboarding
from storage.audit.seals import End, MissingKey, Seals
from storage.session import Session
from storage.tables import EventRow, OnboardingRow
from storage.to_rows import step_columns

# The columns that are sealed, by table.
CLIENT = (
    *("guide", "guide_version", "client_name", "client_team", "channel", "engineer"),
    *("client_admins", "account", "status", "reason"),
    *("started_at", "finished_at", "destroyed_at"),
)
STEP = ("number", "state", "by_user", "by_team", "by_role", "at", "handed_over")
VALUE = ("field", "version", "mask", "submitted_by_user", "submitted_by_team", "submitted_by_role")
# Each part, described for the person who reads that it was altered.
PARTS = {
    "client": "whose onboarding it is: name, channel, engineer, the client's people, or status",
    "steps": "who did which step, or its state",
    "values": "who entered which value",
}
ALTERED = "altered"  # replaces a digest permanently: later changes don't hide the alteration
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SealedState:
    """What is sealed. `fits`: whether its seal was right, None if its key is missing."""

    versions: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    fits: bool | None = True

    @classmethod
    def read(cls, seals: Seals, onboarding_id: str, end: str, stored: Any) -> Self:
        """Read the `sealed_state` of an onboarding whose history has this end."""
        match stored:
            case {"versions": dict(versions), "digests": dict(digests), "seal": str(seal)}:
                content = ["state", 1, onboarding_id, end, versions, digests]
                try:
                    return cls(versions, digests, bool(seal) and seals.verify(seal, content))
                except MissingKey:
                    return cls(versions, digests, None)
                except TypeError:  # somebody wrote another end
                    return cls(versions, digests, fits=False)
        return cls(fits=False)

    def columns(self, seals: Seals, onboarding_id: str, end: End) -> dict[str, Any]:
        """Return the columns for a history with this end; what did not fit gets no seal."""
        content = ["state", 1, onboarding_id, end.seal, self.versions, self.digests]
        seal = seals.sign(content) if self.fits else ""
        stored = {"versions": self.versions, "digests": self.digests, "seal": seal}
        return {"history_length": end.length, "history_end": end.seal, "sealed_state": stored}

    def changed(self, before: Onboarding, after: Onboarding) -> Self:
        """Return the state after a change; rows that were altered before still don't match."""
        versions = {}
        for name, value in after.credentials.items():
            was = before.credentials.get(name)
            is_same = was is not None and was.version == value.version
            versions[name] = self.versions.get(name, 0) if is_same else value.version
        known, now = digests_of(before), digests_of(after)
        digests = {
            part: now[part] if self.digests.get(part) == known[part] else ALTERED for part in PARTS
        }
        return replace(self, versions=versions, digests=digests)


def digests_of(onboarding: Onboarding) -> Mapping[str, str]:
    """Return the digests of an onboarding, equal to the `digests` of its rows."""
    guide = {"guide": onboarding.guide.id, "guide_version": onboarding.guide.version}
    client = {name: guide.get(name) or getattr(onboarding, name) for name in CLIENT}
    steps = [step_columns(onboarding.id, step) for step in onboarding.steps]
    values = [
        (name, one.version, one.mask, one.by.user_id, one.by.team_id, one.by.role.value)
        for name, one in onboarding.credentials.items()
    ]
    return digests(client, steps, [dict(zip(VALUE, value, strict=True)) for value in values])


def digests(client: Row, steps: Iterable[Row], values: Iterable[Row]) -> Mapping[str, str]:
    """Return a digest of each part of an onboarding's rows."""
    done = {}
    for row in steps:
        by = [row["by_user"], row["by_team"] or "", row["by_role"]]
        who = by if row["by_user"] and row["by_role"] else None
        number = row["number"]
        done[str(number)] = [number, row["state"], row["at"], row["handed_over"], who]
    parts = {
        "client": [client[name] for name in CLIENT],
        "steps": [done[number] for number in sorted(done)],
        "values": sorted(str([value[name] for name in VALUE]) for value in values),
    }
    return {
        part: hashlib.sha256(ENCODER.encode(content).encode()).hexdigest()
        for part, content in parts.items()
    }


def _encode(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return type(value).__name__  # an Illegible: never equal to what we wrote


ENCODER = json.JSONEncoder(default=_encode)


async def newest_versions(
    session: Session, onboarding_ids: Collection[str]
) -> dict[tuple[str, str], int]:
    """Return the sealed version of each value of these onboardings, by onboarding and field.

    An onboarding whose state does not fit its seal and the end of its history is left out.
    """
    seals = session.database.seals
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
        .where(col(event.position) == col(head.history_length), col(head.id).in_(onboarding_ids))
    )
    found: dict[tuple[str, str], int] = {}
    rows = await (await session.connection()).execute(query)
    for onboarding_id, length, end, stored, seal, longest in rows:
        state = SealedState.read(seals, onboarding_id, end, stored)
        try:
            complete = (longest, end) == (length, seals.end(onboarding_id, length, seal))
            if complete and state.fits:
                found |= {(onboarding_id, name): one for name, one in state.versions.items()}
        except (MissingKey, AttributeError, TypeError):
            continue
    return found
