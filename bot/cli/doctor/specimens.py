"""One specimen of every message and window that the bot can show.

The state machine itself leads a made-up client through the guide along different stories; after
each change, everything that Slack would then show is collected once.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from pydantic import SecretStr
from slack_sdk.models.views import View

from bot.guide import Guide, Owner
from bot.guide.pictures import StepPictures, no_pictures
from bot.onboarding import (
    Change,
    Event,
    InvitationAnswer,
    Loss,
    Onboarding,
    StepState,
    lifecycle,
    start,
)
from bot.onboarding.catching_up import may_be_done
from bot.onboarding.credentials import enter_credentials, reveal_credentials
from bot.onboarding.history import tell
from bot.onboarding.people import Actor, Role
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import (
    ask_for_help,
    mark_answered,
    note,
    send_reply,
)
from bot.onboarding.reminders import escalate, remind, snooze
from bot.onboarding.report import Check, Outcome, Report
from bot.onboarding.steps import choose_option, finish_step, hand_over_steps, skip_step, undo_step
from bot.onboarding.verifications import finish_verification, request_verification
from bot.publishing.desired import desired
from bot.views.announcement import ANNOUNCED, announcement
from bot.views.blocks import actions
from bot.views.catching_up import catch_up_modal
from bot.views.command_help import help_answer
from bot.views.ephemeral import plain_answer
from bot.views.history import history_modal
from bot.views.home import answer_view, assign_modal, outsiders_view
from bot.views.ids import FormRef, StepRef
from bot.views.modals import (
    cancel_modal,
    credentials_modal,
    fields_at,
    help_modal,
    hidden_modal,
    reveal_modal,
)
from bot.views.start import Around, invite_modal, outcome_view, start_modal, working_view
from bot.views.status import credentials_answer
from bot.views.step import step_message
from bot.views.step_buttons import booking_button

BEGAN = datetime(2026, 1, 5, 15, tzinfo=UTC)
ENGINEER = Actor("U0ENGINEER", "T0HEAVYSET", Role.ENGINEER)
CLIENT = Actor("U0CLIENT", "T0CLIENT", Role.CLIENT_ADMIN)
CHANNEL, WORKSPACE = "C0CLIENT", "https://heavyset.slack.com/"

Transition = Callable[[Onboarding, datetime], Change]


@dataclass(frozen=True, slots=True)
class Specimen:
    """A message's blocks, or a window; `name` says where it was first seen."""

    name: str
    kind: Literal["message", "view"]
    payload: dict[str, Any]


def specimens(guide: Guide, pictures: StepPictures = no_pictures) -> Iterator[Specimen]:
    """Yield each distinct specimen once."""
    seen: set[str] = set()
    for one in _all(guide, pictures):
        digest = json.dumps(one.payload, sort_keys=True)
        if digest not in seen:
            seen.add(digest)
            yield one


def _all(guide: Guide, pictures: StepPictures) -> Iterator[Specimen]:
    yield from _answers()
    for name, view in _starting():
        yield _view(f"start: {name}", view)
    yield _view("Home of others", outsiders_view(guide))
    for name, transitions in _stories(guide):
        yield from _told(guide, name, transitions, pictures)


def _told(
    guide: Guide, name: str, transitions: Sequence[Transition], pictures: StepPictures
) -> Iterator[Specimen]:
    now = BEGAN
    change = start(
        "0" * 16,
        guide,
        client_name="Acme Plumbing & Sons",
        channel=CHANNEL,
        engineer=ENGINEER.user_id,
        client_admins=[CLIENT.user_id],
        actor=ENGINEER,
        now=now,
    )
    events = list(change.events)
    yield from _shown(name, change, pictures)
    for transition in transitions:
        now += timedelta(minutes=1)
        change = transition(change.onboarding, now)
        events += change.events
        yield from _shown(name, change, pictures)
    yield from _windows(name, change.onboarding, events)


def _shown(story: str, change: Change, pictures: StepPictures) -> Iterator[Specimen]:
    onboarding = change.onboarding
    step = f"{story}, step {onboarding.current.number if onboarding.current else 'none'}"
    # An undone step keeps its message until it is current again.
    undone = (
        step_message(onboarding, one.number)
        for one in onboarding.steps
        if one.state is StepState.WAITING
    )
    for message in (*desired(onboarding, {}, pictures=pictures), *undone):
        slot = message.metadata["event_payload"]["slot"]
        yield Specimen(f"{step}: {slot}", "message", {"blocks": list(message.blocks)})
    for event in change.events:
        if event.kind in ANNOUNCED:
            told = announcement(onboarding, 1, event, timestamps={}, workspace_url=WORKSPACE)
            name = f"{step}: announcement {event.kind}"
            yield Specimen(name, "message", {"blocks": list(told.blocks)})
    if onboarding.current:
        number = onboarding.current.number
        ref = _ref(onboarding, number, fields_at(onboarding, number))
        yield _view(f"{step}: help", help_modal(onboarding, ref))
        if may_be_done(onboarding):
            yield _view(f"{step}: already done", catch_up_modal(onboarding, ref))
        if ref.fields:
            yield _view(f"{step}: enter", credentials_modal(onboarding, ref))
            doubts = dict.fromkeys(ref.fields, "Is it right?")
            yield _view(f"{step}: confirm", credentials_modal(onboarding, ref, doubts))


def _windows(story: str, onboarding: Onboarding, events: Sequence[Event]) -> Iterator[Specimen]:
    ref = _ref(onboarding, 1)
    stored = replace(ref, fields=tuple(onboarding.credentials))
    now = onboarding.active_at
    history = tell(onboarding.guide, events, now)
    for name, view in {
        "cancel": cancel_modal(onboarding, ref),
        "assign": assign_modal(onboarding, ref),
        "stored credentials": reveal_modal(onboarding, stored, "reveal-0"),
        "history": history_modal(onboarding, history, ref, workspace_url=WORKSPACE),
    }.items():
        yield _view(f"{story}: {name}", view)
    for name in onboarding.credentials:
        view = reveal_modal(onboarding, stored, "reveal-0", shown=name, value=SecretStr("x" * 40))
        yield _view(f"{story}: reveal {name}", view)
    credentials = credentials_answer(onboarding, WORKSPACE)
    yield Specimen(f"{story}: credentials", "message", {"blocks": list(credentials.blocks)})
    booking = actions([booking_button(onboarding, str(StepRef(onboarding.id, 25)))])
    yield Specimen(f"{story}: test booking", "message", {"blocks": [booking.to_dict()]})


def _answers() -> Iterator[Specimen]:
    for name, answer in {
        "help": help_answer(),
        "help after a mistake": help_answer("I don't know that command."),
        "a plain answer": plain_answer("Done."),
    }.items():
        yield Specimen(name, "message", {"blocks": list(answer.blocks)})
    yield _view("credentials, hidden again", hidden_modal())
    yield _view("Home's answer", answer_view("Done."))


def _starting() -> Iterator[tuple[str, View]]:
    ref = FormRef(CHANNEL, ENGINEER.user_id, ENGINEER.team_id)
    yield "still looking", start_modal(ref, "")
    for name, around in {
        "the client is there": Around([CLIENT.user_id]),
        "nobody is there": Around(alone=True),
        "the client is invited": Around(alone=True, pending=True),
        "several organizations": Around([CLIENT.user_id], several=True),
    }.items():
        yield name, start_modal(ref, "Acme Plumbing", around=around)
    yield "invite", invite_modal(ref, "Acme Plumbing", ["ann@acme.com"])
    yield "inviting", working_view("Acme Plumbing")
    yield "invited", outcome_view(["The channel is there.", "The invitation is sent."])


def _stories(guide: Guide) -> Iterator[tuple[str, Sequence[Transition]]]:
    """Yield sequences of transitions, each of which ends in a different state."""
    choices = [option.id for step in guide.steps if step.choice for option in step.choice.options]
    for choice in choices:
        yield f"answer {choice}", [_on(choice)] * (3 * len(guide.steps))
    on, fields = _on(choices[0] if choices else ""), [field.id for field in guide.credentials]
    first = [on] * 3
    client = [one for one in guide.steps if guide.phase_of(one.number).owner is Owner.CLIENT]
    # All values are entered at the client's last step, and none before.
    all_in = [*[_on(choices[0] if choices else "", enters=False)] * (len(client) - 1), _all_in]
    yield "undone", [*first, _does(undo_step, 2, CLIENT)]
    yield "paused", [*first, _does(lifecycle.pause, ENGINEER, reason="Holidays")]
    yield "canceled", [*all_in, _does(lifecycle.cancel, ENGINEER, "They left.")]
    yield "handed over", [*first, lambda at, now: hand_over_steps(at, _number(at), CLIENT, now)]
    yield "skipped", [*first, lambda at, now: skip_step(at, _number(at), ENGINEER, now)]
    asked = _does(ask_for_help, 4, "Where is “Settings”?", CLIENT)
    snoozed = _does(snooze, CLIENT, until=BEGAN + timedelta(days=1))
    reminded = [_does(remind, ENGINEER), snoozed, _does(escalate)]
    answered = [_does(mark_answered, [1], ENGINEER), _does(note, "Call them on Monday.", ENGINEER)]
    yield "asked", [*first, asked, *reminded, *answered]
    yield "replied", [*first, asked, _does(send_reply, "At the top right, <@U0CLIENT>.", ENGINEER)]
    yield "reassigned", [*first, _does(lifecycle.assign, "U0OTHER", ENGINEER)]
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
    yield "revealed", [*all_in, _does(reveal_credentials, fields, ENGINEER)]
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        yield f"check {outcome}", [*all_in, partial(_verified, outcome=outcome)]


def _does(transition: Callable[..., Change], *arguments: Any, **named: Any) -> Transition:
    """Return a transition of the state machine that only needs the time."""
    return lambda at, now: transition(at, *arguments, now=now, **named)


def _on(choice: str, *, enters: bool = True) -> Transition:
    return partial(_next, choice=choice, enters=enters)


def _number(at: Onboarding) -> int:
    return at.current.number if at.current else at.guide.steps[-1].number


def _all_in(at: Onboarding, now: datetime) -> Change:
    return _enter(at, now, [field.id for field in at.guide.credentials])


def _next(at: Onboarding, now: datetime, choice: str, *, enters: bool) -> Change:
    """Finish the current step, or what it waits for."""
    step, run = at.current, at.verification
    if run and not run.report:
        return _verified(at, now, Outcome.PASSED)
    if step is None:
        return Change(at, ())
    if step.choice:
        return choose_option(at, step.number, choice, CLIENT, now)
    missing = [name for name in fields_at(at, step.number) if name not in at.credentials]
    if missing and enters:
        return _enter(at, now, missing)
    if step.number == at.guide.steps[-1].number:
        return request_verification(at, ENGINEER, now)
    client = at.guide.phase_of(step.number).owner is Owner.CLIENT
    return finish_step(at, step.number, CLIENT if client else ENGINEER, now)


def _enter(at: Onboarding, now: datetime, fields: Sequence[str]) -> Change:
    return enter_credentials(at, _number(at), dict.fromkeys(fields, "••••1234"), CLIENT, now)


def _verified(at: Onboarding, now: datetime, outcome: Outcome) -> Change:
    run = at.verification
    if run is None or run.report:
        return Change(at, ())
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
    return finish_verification(at, run.number, run.requested_at, report, now)


def _ref(onboarding: Onboarding, step: int, fields: Sequence[str] = ()) -> FormRef:
    return FormRef(CHANNEL, CLIENT.user_id, CLIENT.team_id, onboarding.id, step, tuple(fields))


def _view(name: str, view: View) -> Specimen:
    return Specimen(name, "view", view.to_dict())
