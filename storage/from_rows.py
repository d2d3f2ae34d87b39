"""Builds an `Onboarding` from its rows and from the events that have effects on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from sqlalchemy import Select, Table, bindparam

from bot.onboarding import (
    Loss,
    Onboarding,
    Status,
    StepProgress,
    StepState,
    Verification,
)
from bot.onboarding.effects import EFFECTS, apply
from bot.onboarding.model import StoredCredential
from bot.onboarding.people import Actor, Role
from bot.onboarding.verification_report import Report
from storage.event_log import event_of
from storage.session import Session
from storage.statements import Row, fetch
from storage.tables import (
    CREDENTIAL,
    EVENT,
    MESSAGE,
    ONBOARDING,
    STEP,
    VERIFICATION,
    OnboardingRow,
)
from storage.to_rows import PLAIN
from storage.unreadable_rows import Unknown, known, must_be_legible, reading

# Columns that are read as they are stored, and that no transition changes.
FIXED = ("id", "client_name", "started_at", "thread_ts", "revision")


async def load(session: Session, row: OnboardingRow | Row) -> Onboarding:
    """Return the onboarding of a row, from the cache or with the rows that belong to it.

    Raises UnreadableRow if any part of it cannot be read.
    """
    cache = session.database.cache
    with reading(session, row.id, row.client_name):
        columns = await _columns(session, row)
        if onboarding := cache.get(row.id, row.revision):
            return replace(onboarding, **columns)
        onboarding = await _read(session, columns)
    session.on_commit.append(partial(cache.put, onboarding))
    return onboarding


async def must_be_readable(session: Session, row: OnboardingRow) -> None:
    """Read everything of an onboarding, bypassing the cache; raises UnreadableRow."""
    with reading(session, row.id, row.client_name):
        await _read(session, await _columns(session, row))
        for table in (EVENT, MESSAGE):
            await _rows(session, table, row.id)


async def _columns(session: Session, row: OnboardingRow | Row) -> dict[str, Any]:
    must_be_legible(row, ONBOARDING)
    return {
        **{name: getattr(row, name) for name in (*FIXED, *PLAIN)},
        "guide": await session.database.guides.get(session, row.guide, row.guide_version),
        "client_admins": tuple(row.client_admins),
        "status": known(Status, row.status),
        "loss": known(Loss, row.loss) if row.loss else None,
    }


async def _read(session: Session, columns: Mapping[str, Any]) -> Onboarding:
    onboarding_id = columns["id"]
    events = await fetch(session, EVENTS_WITH_EFFECTS, {"id": onboarding_id})
    onboarding = Onboarding(
        **columns,
        steps=await _steps(session, onboarding_id),
        credentials=await _credentials(session, onboarding_id),
        verifications=await _verifications(session, onboarding_id),
    )
    onboarding = apply(onboarding, *map(event_of, events))
    guide = onboarding.guide
    same_steps = [one.number for one in onboarding.steps] == [one.number for one in guide.steps]
    if not same_steps or onboarding.credentials.keys() - {one.id for one in guide.credentials}:
        raise Unknown(f"it doesn't fit its guide, {guide.id} {guide.version}")
    return onboarding


async def _steps(session: Session, onboarding_id: str) -> tuple[StepProgress, ...]:
    rows = await _rows(session, STEP, onboarding_id)
    return tuple(
        StepProgress(
            row.number,
            known(StepState, row.state),
            Actor(row.by_user or "", row.by_team or "", known(Role, row.by_role))
            if row.by_role  # the bot's own actor has a role and no user
            else None,
            row.at,
            row.handed_over,
        )
        for row in rows
    )


async def _credentials(session: Session, onboarding_id: str) -> Mapping[str, StoredCredential]:
    return {
        row.field: StoredCredential(
            row.mask,
            Actor(row.submitted_by_user, row.submitted_by_team, known(Role, row.submitted_by_role)),
            row.replaced_at or row.submitted_at,
            row.version,
        )
        for row in await _rows(session, CREDENTIAL, onboarding_id)
    }


async def _verifications(session: Session, onboarding_id: str) -> tuple[Verification, ...]:
    rows = await _rows(session, VERIFICATION, onboarding_id)
    return tuple(
        Verification(
            number=row.number,
            requested_by=Actor(
                row.requested_by_user, row.requested_by_team, known(Role, row.requested_by_role)
            ),
            requested_at=row.requested_at,
            attempt=row.attempt,
            report=Report.model_validate_json(row.report) if row.report else None,
            retry_at=row.due_at if row.report else None,
            booking=row.booking,
            booking_sent_at=row.booking_sent_at,
            recheck=row.recheck,
        )
        for row in rows
    )


async def _rows(session: Session, table: Table, onboarding_id: str) -> Sequence[Row]:
    """Return an onboarding's rows of a table, in order; raises Unknown if one is not legible."""
    rows = await fetch(session, _of_onboarding(table), {"id": onboarding_id})
    for row in rows:
        must_be_legible(row, table)
    return rows


@cache
def _of_onboarding(table: Table) -> Select[Any]:
    is_its = table.c.onboarding_id == bindparam("id")
    return table.select().where(is_its).order_by(*table.primary_key)


EVENTS_WITH_EFFECTS = (
    EVENT.select()
    .where(EVENT.c.onboarding_id == bindparam("id"))
    .where(EVENT.c.kind.in_([kind.value for kind in EFFECTS]))
    .order_by(EVENT.c.id)
)
