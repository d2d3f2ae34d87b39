"""Transitions of questions: asked of an engineer, answered from the guide or by people, closed."""

from collections.abc import Collection, Iterator
from datetime import datetime

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind, given
from bot.onboarding.people import Actor, UserRef
from bot.onboarding.state import Onboarding
from bot.onboarding.throttling import ANSWERS, QUESTIONS, in_minutes
from bot.onboarding.transitions import Change, changed, noted


def ask_for_help(
    onboarding: Onboarding, step: int, question: str, actor: Actor, now: datetime, ts: str = ""
) -> Change:
    """Record a question to the engineer; `ts` is its message, if it is in the thread."""
    onboarding.step(step)
    if wait := QUESTIONS.wait(_asked(onboarding, actor, of_guide=False), now):
        raise Refused(
            "{engineer} has {most} questions of yours from the last hour. Please collect the "
            "rest and send them {wait}.",
            engineer=UserRef(onboarding.engineer),
            most=QUESTIONS.most,
            wait=in_minutes(wait),
        )
    detail = given(question=question, ts=ts)
    return changed(onboarding, Event(EventKind.HELP_ASKED, actor, now, step, detail))


def answer_from_guide(
    onboarding: Onboarding,
    step: int,
    question: str,
    passage: str,
    actor: Actor,
    now: datetime,
    ts: str = "",
) -> Change:
    """Record a question that a passage of the guide answers."""
    if wait := ANSWERS.wait(_asked(onboarding, actor, of_guide=True), now):
        raise Refused(f"Those are a lot of questions. Please ask again {in_minutes(wait)}.")
    detail = given(question=question, passage=passage, ts=ts)
    return changed(onboarding, Event(EventKind.GUIDE_ANSWERED, actor, now, step, detail))


def _asked(onboarding: Onboarding, actor: Actor, *, of_guide: bool) -> Iterator[datetime]:
    """Yield when `actor` asked the questions that the guide answered, or those for an engineer."""
    for question in onboarding.questions:
        is_theirs = question.by.user_id == actor.user_id and question.by.team_id == actor.team_id
        if is_theirs and bool(question.passage) is of_guide:
            yield question.at


def mark_answered(
    onboarding: Onboarding, numbers: Collection[int], actor: Actor, now: datetime, ts: str = ""
) -> Change:
    """Close the open ones among these questions; Refused if there are none.

    `ts` is the message in the thread that answers them, if that is known.
    """
    closing = [one for one in onboarding.open_questions if one.number in numbers]
    if not closing:
        raise Refused("That question is already marked as answered.")
    detail = given(questions=[question.number for question in closing], ts=ts)
    answered = Event(EventKind.HELP_ANSWERED, actor, now, closing[-1].step, detail)
    return changed(onboarding, answered)


def send_reply(onboarding: Onboarding, text: str, actor: Actor, now: datetime) -> Change:
    """Post `text` in the thread in an engineer's name, which closes the newest open question."""
    newest = onboarding.open_questions[-1] if onboarding.open_questions else None
    detail = given(reply=text, question=newest.number if newest else None)
    event = Event(EventKind.REPLY_SENT, actor, now, newest.step if newest else None, detail)
    sent = changed(onboarding, event)
    return sent.then(mark_answered, [newest.number], actor, now) if newest else sent


def note(onboarding: Onboarding, text: str, actor: Actor, now: datetime) -> Change:
    """Keep what somebody wrote in the history; it doesn't count as activity."""
    event = Event(EventKind.NOTED, actor, now, None, {"note": text})
    return noted(onboarding, event)
