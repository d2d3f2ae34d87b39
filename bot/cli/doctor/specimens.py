"""One specimen of every message and window that the bot can show.

The real state machine takes a made-up client through the guide in different ways; after each
change, everything that Slack would show is collected once.
"""

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from pydantic import SecretStr

from bot.cli.doctor.overviews import Shown, Story, overviews, rounds
from bot.cli.doctor.stories import (
    BEGAN,
    BY_ENGINEER,
    CHANNEL,
    CLIENT,
    ENGINEER,
    TS,
    WORKSPACE,
    Transition,
    begin,
    stories,
)
from bot.guide import Guide
from bot.guide.answers.passages import passages
from bot.guide.pictures import StepPictures, no_pictures
from bot.onboarding import Change, Event, Onboarding, Question, StepState
from bot.onboarding.assignment import Absence
from bot.onboarding.catching_up import may_be_done
from bot.onboarding.history import history_of
from bot.publishing.desired import desired
from bot.views.absence import away_message, back_message, is_away_text, nobody_away_text
from bot.views.announcement import ANNOUNCED, announcement
from bot.views.assignments import reassigned_answer
from bot.views.blocks import actions, section
from bot.views.catching_up import catch_up_modal
from bot.views.command_help import help_answer
from bot.views.conversation import answered_line, near_line, send_line
from bot.views.engineering_channel import returned_message, shared_channel_message
from bot.views.guide_answer import answer_message
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
from bot.views.start import (
    Around,
    guide_choice,
    invite_modal,
    outcome_view,
    start_modal,
    working_view,
)
from bot.views.status import credentials_answer
from bot.views.step import step_message
from bot.views.step_buttons import booking_button


@dataclass(frozen=True, slots=True)
class Specimen:
    """A message's blocks, or a window; `name` says where it was first seen."""

    name: str
    kind: Literal["message", "view"]
    payload: dict[str, Any]


def specimens(guide: Guide, pictures: StepPictures = no_pictures) -> Iterator[Specimen]:
    """Yield each distinct specimen once."""
    seen: set[str] = set()
    for name, shown in _all(guide, pictures):
        if isinstance(shown, dict):
            one = Specimen(name, "view", shown)
        else:
            blocks = shown if isinstance(shown, list) else list(shown.blocks)
            one = Specimen(name, "message", {"blocks": blocks})
        digest = json.dumps(one.payload, sort_keys=True)
        if digest not in seen:
            seen.add(digest)
            yield one


def _all(guide: Guide, pictures: StepPictures) -> Iterator[Shown]:
    yield from _answers()
    yield from _starting(guide)
    yield "Home of others", outsiders_view(guide)
    for passage in passages(guide):
        asked = Question(1, 1, "Where is “Settings”?", CLIENT, BEGAN, passage.id)
        answer = answer_message(begin(guide).onboarding, asked)
        yield f"answer from the guide: {passage.id}", answer
    ended: list[Story] = []
    for name, transitions in stories(guide):
        ended.append((yield from _story(guide, name, transitions, pictures)))
    yield from overviews(ended)
    yield from rounds([onboarding for onboarding, _ in ended])


def _story(
    guide: Guide, name: str, transitions: Sequence[Transition], pictures: StepPictures
) -> Generator[Shown, None, Story]:
    now, change = BEGAN, begin(guide)
    events = list(change.events)
    yield from _shown(name, change, pictures)
    for transition in transitions:
        now += timedelta(minutes=1)
        change = transition(change.onboarding, now)
        events += change.events
        yield from _shown(name, change, pictures)
    yield from _windows(name, change.onboarding, events)
    return change.onboarding, events


def _shown(story: str, change: Change, pictures: StepPictures) -> Iterator[Shown]:
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
        yield f"{step}: {slot}", message
    for event in change.events:
        if event.kind in ANNOUNCED:
            message = announcement(onboarding, 1, event, timestamps={}, workspace_url=WORKSPACE)
            yield f"{step}: announcement {event.kind}", message
    if onboarding.open_questions:
        yield f"{step}: was that the answer", answered_line(onboarding, TS)
        yield f"{step}: send it to the client", send_line(onboarding, TS)
    if onboarding.current:
        number = onboarding.current.number
        ref = _ref(onboarding, number, fields_at(onboarding, number))
        yield f"{step}: help", help_modal(onboarding, ref)
        if may_be_done(onboarding):
            yield f"{step}: already done", catch_up_modal(onboarding, ref)
        meant = onboarding.guide.step(number)
        yield f"{step}: what was meant", near_line(onboarding, meant, TS, "Erin")
        if ref.fields:
            yield f"{step}: enter", credentials_modal(onboarding, ref)
            doubts = dict.fromkeys(ref.fields, "Is it right?")
            yield f"{step}: confirm", credentials_modal(onboarding, ref, doubts)


def _windows(story: str, onboarding: Onboarding, events: Sequence[Event]) -> Iterator[Shown]:
    ref = _ref(onboarding, 1)
    stored = replace(ref, fields=tuple(onboarding.credentials))
    history = history_of(onboarding.guide, events, onboarding.active_at)
    yield f"{story}: cancel", cancel_modal(onboarding, ref)
    yield f"{story}: assign", assign_modal(onboarding, ref)
    yield f"{story}: stored credentials", reveal_modal(onboarding, stored, "reveal-0")
    yield f"{story}: history", history_modal(onboarding, history, ref, workspace_url=WORKSPACE)
    for name in onboarding.credentials:
        view = reveal_modal(onboarding, stored, "reveal-0", shown=name, value=SecretStr("x" * 40))
        yield f"{story}: reveal {name}", view
    yield f"{story}: credentials", credentials_answer(onboarding, WORKSPACE)
    if onboarding.guide.checks.by == "servicetitan":
        last = StepRef(onboarding.id, len(onboarding.steps))
        button = booking_button(onboarding, last)
        yield f"{story}: test booking", [actions([button])]


def _answers() -> Iterator[Shown]:
    yield "help", help_answer()
    yield "help after a mistake", help_answer("I don't know that command.")
    yield "a plain answer", [section("Done.")]
    nobody = ["No client matches “zebra”."]
    yield "several reassigned", reassigned_answer("<@U0LEE>", ["Acme Plumbing"] * 60, nobody, 3)
    absence = Absence(ENGINEER.user_id, "U0LEE", BEGAN, BEGAN + timedelta(days=3))
    yield "somebody is away", away_message(absence, absence.colleague, 12)
    yield "somebody is back", back_message(absence, 12, left=False)
    yield "away", [section(is_away_text(absence, 12))]
    yield "not away", [section(nobody_away_text([absence]))]
    yield "back after an absence", returned_message(BEGAN, BEGAN, 2, 1)
    yield "a shared engineering channel", shared_channel_message(BEGAN)
    yield "credentials, hidden again", hidden_modal()
    yield "Home's answer", answer_view("Done.")


def _starting(guide: Guide) -> Iterator[Shown]:
    yield "start: still looking", start_modal(BY_ENGINEER, "")
    for name, around in {
        "the client is there": Around([CLIENT.user_id]),
        "nobody is there": Around(alone=True),
        "the client is invited": Around(alone=True, pending=True),
        "several organizations": Around([CLIENT.user_id], several=True),
    }.items():
        yield f"start: {name}", start_modal(BY_ENGINEER, "Acme Plumbing", around=around)
    two = [guide, guide.model_copy(update={"id": "other", "title": "Another guide"})]
    choice = guide_choice(two, "other")
    yield "start: a choice of guides", start_modal(BY_ENGINEER, "Acme", choice=choice)
    yield "start: invite", invite_modal(BY_ENGINEER, "Acme Plumbing", ["ann@acme.com"])
    yield "start: inviting", working_view("Acme Plumbing")
    outcome = ["The channel is there.", "The invitation is sent."]
    yield "start: invited", outcome_view(outcome)


def _ref(onboarding: Onboarding, step: int, fields: Sequence[str] = ()) -> FormRef:
    return FormRef(CHANNEL, CLIENT.user_id, CLIENT.team_id, onboarding.id, step, tuple(fields))
