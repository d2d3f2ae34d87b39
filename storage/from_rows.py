"""Makes the pure `Onboarding` of its rows, and of the events that are part of its state."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.guide import Owner
from bot.onboarding import (
    Deletion,
    Escalation,
    Event,
    EventKind,
    Loss,
    Onboarding,
    PostedSecret,
    Question,
    Reminder,
    Retention,
    Signed,
    Snooze,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Verification,
    redacted,
)
from bot.onboarding.people import Actor, Role
from bot.onboarding.report import Report
from storage.cache import OnboardingCache
from storage.guides import GuideStore
from storage.tables import (
    CredentialRow,
    EventRow,
    MessageRow,
    OnboardingRow,
    StepRow,
    VerificationRow,
)
from storage.unreadable_rows import Unknown, checked, known, must_be_legible, reading


async def load(session: AsyncSession, guides: GuideStore, row: OnboardingRow) -> Onboarding:
    """Return the onboarding of a row; what belongs to it is read unless it is known.

    Raises UnreadableRow if any of that cannot be read.
    """
    cache: OnboardingCache = session.info["cache"]
    with reading(session, row.id, row.client_name):
        columns = await _columns(session, guides, row)
        if onboarding := cache.get(row.id, row.revision):
            return replace(onboarding, **columns)
        onboarding = await _read(session, columns)
    learn(session, onboarding)
    return onboarding


async def must_be_readable(session: AsyncSession, guides: GuideStore, row: OnboardingRow) -> None:
    """Read all that belongs to an onboarding; raises UnreadableRow if something cannot be read."""
    with reading(session, row.id, row.client_name):
        await _read(session, await _columns(session, guides, row))
        for kind in (EventRow, MessageRow):
            where = col(kind.onboarding_id) == row.id
            for one in await session.exec(select(kind).where(where)):
                must_be_legible(one)


def learn(session: AsyncSession, onboarding: Onboarding) -> None:
    """Know an onboarding as it is, once the transaction is committed."""
    session.info["learned"].append(onboarding)


async def _columns(session: AsyncSession, guides: GuideStore, row: OnboardingRow) -> dict[str, Any]:
    must_be_legible(row)
    return {
        "id": row.id,
        "guide": await guides.get(session, row.guide, row.guide_version),
        "client_name": row.client_name,
        "channel": row.channel,
        "engineer": row.engineer,
        "client_admins": tuple(row.client_admins),
        "client_team": row.client_team,
        "started_at": row.started_at,
        "active_at": row.active_at,
        "turn_at": row.turn_at,
        "status": known(Status, row.status),
        "loss": known(Loss, row.loss) if row.loss else None,
        "reason": row.reason,
        "timezone": row.timezone,
        "account": row.account,
        "thread_ts": row.thread_ts,
        "revision": row.revision,
        "finished_at": row.finished_at,
        "destroyed_at": row.destroyed_at,
    }


async def _read(session: AsyncSession, columns: Mapping[str, Any]) -> Onboarding:
    onboarding_id = columns["id"]
    past = await _past(session, onboarding_id)
    onboarding = Onboarding(
        **columns,
        steps=await _steps(session, onboarding_id),
        credentials=await _credentials(session, onboarding_id),
        verifications=await _verifications(session, onboarding_id),
        posted_secrets=_posted_secrets(past),
        questions=_questions(past),
        reminders=_reminders(past),
        escalation=_escalation(past),
        retention=_retention(past),
        deletions=_deletions(past),
        writes_confirmed=_confirmed(past),
    )
    _must_fit_the_guide(onboarding)
    return onboarding


def _must_fit_the_guide(onboarding: Onboarding) -> None:
    guide = onboarding.guide
    numbers = [step.number for step in onboarding.steps]
    fields = {field.id for field in guide.credentials}
    if numbers != [step.number for step in guide.steps] or not fields.issuperset(
        onboarding.credentials
    ):
        raise Unknown(f"it doesn't fit its guide, {guide.id} {guide.version}")


async def _steps(session: AsyncSession, onboarding_id: str) -> tuple[StepProgress, ...]:
    query = select(StepRow).where(col(StepRow.onboarding_id) == onboarding_id)
    rows = await session.exec(query.order_by(col(StepRow.number)))
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
        for row in map(checked, rows)
    )


async def _credentials(session: AsyncSession, onboarding_id: str) -> Mapping[str, StoredCredential]:
    query = select(CredentialRow).where(col(CredentialRow.onboarding_id) == onboarding_id)
    return {
        row.field: StoredCredential(
            row.mask,
            Actor(row.submitted_by_user, row.submitted_by_team, known(Role, row.submitted_by_role)),
            row.replaced_at or row.submitted_at,
            row.version,
        )
        for row in map(checked, await session.exec(query))
    }


async def _verifications(session: AsyncSession, onboarding_id: str) -> tuple[Verification, ...]:
    query = select(VerificationRow).where(col(VerificationRow.onboarding_id) == onboarding_id)
    rows = await session.exec(query.order_by(col(VerificationRow.number)))
    return tuple(
        Verification(
            number=row.number,
            requested_by=Actor(
                row.requested_by_user,
                row.requested_by_team,
                known(Role, row.requested_by_role),
            ),
            requested_at=row.requested_at,
            attempt=row.attempt,
            report=Report.model_validate_json(row.report) if row.report else None,
            retry_at=row.due_at if row.report else None,
            booking=row.booking,
            booking_sent_at=row.booking_sent_at,
        )
        for row in map(checked, rows)
    )


# The events that are part of the state, not only of the history.
REMEMBERED = (
    EventKind.EXPOSED,
    EventKind.EXPOSED_AGAIN,
    EventKind.HELP_ASKED,
    EventKind.HELP_ANSWERED,
    EventKind.GUIDE_ANSWERED,
    EventKind.REMINDED,
    EventKind.SNOOZED,
    EventKind.ESCALATED,
    EventKind.WRITES_CONFIRMED,
    EventKind.RETENTION_ASKED,
    EventKind.CREDENTIALS_KEPT,
    EventKind.CREDENTIALS_EXPIRED,
)


async def _past(session: AsyncSession, onboarding_id: str) -> Sequence[Event]:
    kinds = [kind.value for kind in REMEMBERED]
    where = (col(EventRow.onboarding_id) == onboarding_id, col(EventRow.kind).in_(kinds))
    rows = await session.exec(select(EventRow).where(*where).order_by(col(EventRow.id)))
    return redacted([event_of(row) for row in rows])


def event_of(row: EventRow) -> Event:
    """Return the event of a row; raises Unknown if it cannot be read."""
    must_be_legible(row)
    actor = Actor(row.actor_user, row.actor_team, known(Role, row.actor_role))
    if not isinstance(row.detail, dict):
        raise Unknown("event.detail is broken")
    return Event(known(EventKind, row.kind), actor, row.at, row.step, row.detail)


def event_or_unknown(row: EventRow) -> Event | None:
    """Return the event of a row, as far as it can be read; None if not even its time can."""
    try:
        return event_of(row)
    except Unknown:
        if not isinstance(row.at, datetime):
            return None
        actor = Actor(str(row.actor_user), str(row.actor_team), Role.NOBODY)
        return Event(EventKind.UNKNOWN, actor, row.at, None, {})


def _of_kind(past: Sequence[Event], *kinds: EventKind) -> list[Event]:
    return [event for event in past if event.kind in kinds]


def _escalation(past: Sequence[Event]) -> Escalation | None:
    told = _of_kind(past, EventKind.ESCALATED)
    since = told[-1].detail["since"] if told else ""
    return Escalation(told[-1].at, datetime.fromisoformat(since)) if told else None


def _retention(past: Sequence[Event]) -> Retention | None:
    told = _of_kind(past, EventKind.RETENTION_ASKED, EventKind.CREDENTIALS_KEPT)
    if not told:
        return None
    last = told[-1]
    until, since = (datetime.fromisoformat(last.detail[name]) for name in ("until", "since"))
    kept_by = last.actor if last.kind is EventKind.CREDENTIALS_KEPT else None
    return Retention(last.at, until, since, kept_by)


def _deletions(past: Sequence[Event]) -> tuple[Deletion, ...]:
    return tuple(
        Deletion(number, dict(event.detail["versions"]), event.at, event.detail["days"])
        for number, event in enumerate(_of_kind(past, EventKind.CREDENTIALS_EXPIRED), start=1)
    )


def _confirmed(past: Sequence[Event]) -> Signed | None:
    signed = _of_kind(past, EventKind.WRITES_CONFIRMED)
    return Signed(signed[-1].actor, signed[-1].at) if signed else None


def _posted_secrets(past: Sequence[Event]) -> tuple[PostedSecret, ...]:
    found: list[PostedSecret] = []
    for event in _of_kind(past, EventKind.EXPOSED, EventKind.EXPOSED_AGAIN):
        detail, fingerprints = event.detail, tuple(event.detail.get("marks", ()))
        if event.kind is EventKind.EXPOSED_AGAIN:
            at = detail["number"] - 1
            found[at] = replace(found[at], fingerprints=(*found[at].fingerprints, *fingerprints))
        else:
            number, fields = len(found) + 1, tuple(detail["fields"])
            elsewhere = bool(detail.get("elsewhere"))
            found.append(
                PostedSecret(number, fields, event.actor, event.at, fingerprints, elsewhere)
            )
    return tuple(found)


def _reminders(past: Sequence[Event]) -> tuple[Reminder, ...]:
    found: list[Reminder] = []
    for event in _of_kind(past, EventKind.REMINDED, EventKind.SNOOZED):
        if event.kind is EventKind.REMINDED:
            number, to = len(found) + 1, Owner(event.detail["to"])
            since = datetime.fromisoformat(event.detail["since"])
            found.append(Reminder(number, event.step or 1, to, event.actor, event.at, since))
        elif found:
            until = event.detail.get("until")
            moment = datetime.fromisoformat(until) if until else None
            found[-1] = replace(found[-1], snooze=Snooze(event.actor, event.at, moment))
    return tuple(found)


def _questions(past: Sequence[Event]) -> tuple[Question, ...]:
    answers = {
        number: event
        for event in _of_kind(past, EventKind.HELP_ANSWERED)
        for number in event.detail["questions"]
    }
    asked = _of_kind(past, EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED)
    return tuple(
        Question(
            number,
            event.step or 1,
            event.detail["question"],
            event.actor,
            event.at,
            event.detail.get("passage"),
            answers[number].actor if number in answers else None,
            answers[number].at if number in answers else None,
        )
        for number, event in enumerate(asked, start=1)
    )
