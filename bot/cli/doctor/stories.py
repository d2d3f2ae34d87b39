"""Stories of a made-up client, from the start to every state that an onboarding can be in."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.guide import Guide, Owner
from bot.onboarding import Change, InvitationAnswer, Loss, Onboarding, assignment, lifecycle, start
from bot.onboarding.after_go_live import recheck, tell_client
from bot.onboarding.assignment import Absence
from bot.onboarding.credentials import enter_credentials, reveal_credentials
from bot.onboarding.people import BOT, Actor, Role
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help, mark_answered, note, send_reply
from bot.onboarding.reminders import ask_engineering, escalate, hear, put_off, remind, snooze
from bot.onboarding.retention import expire_credentials
from bot.onboarding.steps import choose_option, finish_step, hand_over_steps, skip_step, undo_step
from bot.onboarding.verification_report import Check, Outcome, Report
from bot.onboarding.verifications import finish_verification, request_verification
from bot.views.ids import FormRef
from bot.views.modals import fields_at

BEGAN = datetime(2026, 1, 5, 15, tzinfo=UTC)
ENGINEER = Actor("U0ENGINEER", "T0HEAVYSET", Role.ENGINEER)
CLIENT = Actor("U0CLIENT", "T0CLIENT", Role.CLIENT_ADMIN)
CHANNEL = "C0CLIENT"
BY_ENGINEER = FormRef(CHANNEL, ENGINEER.user_id, ENGINEER.team_id)
WORKSPACE = "https://heavyset.slack.com/"
TS = "1767625200.000100"

Transition = Callable[[Onboarding, datetime], Change]


def begin(guide: Guide) -> Change:
    return start(
        "0" * 16,
        guide,
        client_name="Acme Plumbing & Sons",
        channel=CHANNEL,
        engineer=ENGINEER.user_id,
        client_admins=[CLIENT.user_id],
        actor=ENGINEER,
        now=BEGAN,
    )


def stories(guide: Guide) -> Iterator[tuple[str, Sequence[Transition]]]:
    """Yield sequences of transitions, each of which ends in a different state."""
    options = [option for step in guide.steps if step.choice for option in step.choice.options]
    for option in options:
        yield f"answer {option.id}", [partial(_next, choice=option.id)] * (3 * len(guide.steps))
    longest = min(options, key=lambda option: len(option.skips)).id if options else ""
    on: Transition = partial(_next, choice=longest)
    fields, first = [field.id for field in guide.credentials], [on] * 3
    # All values are entered at the last step that asks for some, and none before.
    without: Transition = partial(_next, choice=longest, enters=False)
    all_in = [*[without] * (guide.last_credential_step - 1), _all_in]
    if guide.is_checked:
        live = [on] * (3 * len(guide.steps))
        failed = partial(_verified, outcome=Outcome.FAILED)
        broken: list[Transition] = [*live, _rechecked, failed, _does(tell_client, ENGINEER)]
        yield "broken after go-live", broken
        yield "fixed after go-live", [*broken, _rechecked, on]
    yield "undone", [*first, _does(undo_step, 2, CLIENT)]
    yield "paused", [*first, _does(lifecycle.pause, ENGINEER, reason="Holidays")]
    yield "canceled", [*all_in, _does(lifecycle.cancel, ENGINEER, "They left.")]
    yield "handed over", [*first, _hand_over]
    yield "quiet", [*first, *_followed_up()]
    yield "quiet, our side", [*first, _hand_over, *_followed_up()]
    yield "skipped", [*first, lambda at, now: skip_step(at, _number(at), ENGINEER, now)]
    asked = _does(ask_for_help, min(4, len(guide.steps)), "Where is “Settings”?", CLIENT)
    snoozed = _does(snooze, CLIENT, until=BEGAN + timedelta(days=1))
    reminded = [_does(remind, ENGINEER), snoozed, _does(escalate)]
    answered = [_does(mark_answered, [1], ENGINEER), _does(note, "Call them on Monday.", ENGINEER)]
    yield "asked", [*first, asked, *reminded, *answered]
    yield "replied", [*first, asked, _does(send_reply, "At the top right, <@U0CLIENT>.", ENGINEER)]
    yield "reassigned", [*first, _does(assignment.assign, "U0OTHER", ENGINEER)]
    away = Absence(begin(guide).onboarding.engineer, "U0LEE", BEGAN, BEGAN + timedelta(days=3))
    yield "covered", [*first, _does(assignment.cover, {away.engineer: away})]
    yield "joined", [*first, _does(lifecycle.client_joins, CLIENT, timezone="America/Denver")]
    for answer in InvitationAnswer:
        yield (
            f"invitation {answer}",
            [_does(lifecycle.answer_invitation, answer, "ann@acme.com", CLIENT)],
        )
    for loss in Loss:
        lost = _does(lifecycle.lose_channel, loss)
        yield f"channel lost: {loss}", [*first, lost, _does(lifecycle.resume, ENGINEER)]
    yield "posted", [*all_in, _does(record_posted_secret, fields, CLIENT)]
    unused = _does(expire_credentials, keep=timedelta(0), objection=timedelta(0))
    yield "deleted", [*all_in, unused, unused]
    yield "revealed", [*all_in, _does(reveal_credentials, fields, ENGINEER)]
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        yield f"check {outcome}", [*all_in, partial(_verified, outcome=outcome)]


def _followed_up() -> Iterator[Transition]:
    """Yield every follow-up, engineering's choices after the last one, and finally an answer."""
    days = [BEGAN + timedelta(days=number) for number in (1, 3, 7, 14, 28, 29)]
    for number, day in enumerate(days[:4], start=1):
        yield _does(remind, BOT, follow_up=number, last=number == 4, now=day)
    yield _does(ask_engineering, now=days[3])
    yield _does(put_off, 1, ENGINEER, until=days[4], now=days[3])
    yield _does(remind, BOT, follow_up=4, last=True, now=days[4])
    yield _does(ask_engineering, now=days[4])
    yield lambda at, _: hear(at, _awaited(at), days[5], days[5] + timedelta(days=2))


def _awaited(at: Onboarding) -> Actor:
    return ENGINEER if at.awaited is Owner.HEAVYSET else CLIENT


def _does(transition: Callable[..., Change], *arguments: Any, **named: Any) -> Transition:
    """Return a transition that has all it needs but the onboarding and, unless given, the time."""
    return lambda at, now: transition(at, *arguments, **{"now": now, **named})


def _rechecked(at: Onboarding, now: datetime) -> Change:
    return recheck(at, BOT, now, since=now)


def _number(at: Onboarding) -> int:
    return at.current.number if at.current else at.guide.steps[-1].number


def _hand_over(at: Onboarding, now: datetime) -> Change:
    return hand_over_steps(at, _number(at), CLIENT, now)


def _all_in(at: Onboarding, now: datetime) -> Change:
    return _enter(at, now, [field.id for field in at.guide.credentials])


def _next(at: Onboarding, now: datetime, choice: str, *, enters: bool = True) -> Change:
    """Finish the current step, or what it waits for."""
    step, run = at.current, at.verification
    if run and not run.report:
        return _verified(at, now, Outcome.PASSED)
    if step is None:
        return Change(at)
    if step.choice:
        return choose_option(at, step.number, choice, CLIENT, now)
    missing = [name for name in fields_at(at, step.number) if name not in at.credentials]
    if missing and enters:
        return _enter(at, now, missing)
    if step.verifies:
        return request_verification(at, ENGINEER, now)
    client = at.guide.phase_of(step.number).owner is Owner.CLIENT
    return finish_step(at, step.number, CLIENT if client else ENGINEER, now)


def _enter(at: Onboarding, now: datetime, fields: Sequence[str]) -> Change:
    return enter_credentials(at, _number(at), dict.fromkeys(fields, "••••1234"), CLIENT, now)


def _verified(at: Onboarding, now: datetime, outcome: Outcome) -> Change:
    run = at.verification
    if run is None or run.report:
        return Change(at)
    wrong = [field for field in at.guide.credentials if outcome is Outcome.FAILED]
    check = Check(
        id="token",
        title="Client ID and Client Secret",
        outcome=outcome,
        for_client="Please copy both again.",
        for_engineer="HTTP 400",
        fields=tuple(field.id for field in wrong),
        steps=tuple(sorted({field.step for field in wrong})),
        retry=outcome is Outcome.UNKNOWN,
    )
    report = Report(checks=(check,), started_at=now, duration_ms=1, environment="production")
    return finish_verification(at, run, report, now)
