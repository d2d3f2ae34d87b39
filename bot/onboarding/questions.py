"""Transitions of questions: asked of an engineer, answered from the guide, closed."""

from dataclasses import replace
from datetime import datetime

from bot.core.errors import Refused
from bot.onboarding.model import Event, EventKind, Question
from bot.onboarding.people import Actor, UserRef
from bot.onboarding.state import Onboarding
from bot.onboarding.throttling import ANSWERS, QUESTIONS, in_minutes
from bot.onboarding.transitions import Change, changed


def ask_for_help(
    onboarding: Onboarding, step: int, question: str, actor: Actor, now: datetime
) -> Change:
    """Record a question for the engineer."""
    onboarding.step(step)
    mine = (one.at for one in onboarding.questions if _is_of(one, actor) and one.passage is None)
    if wait := QUESTIONS.wait(mine, now):
        raise Refused(
            "{engineer} has {most} questions of yours from the last "
            "hour. Please collect the rest, and send them {wait}.",
            engineer=UserRef(onboarding.engineer),
            most=QUESTIONS.most,
            wait=in_minutes(wait),
        )
    event = Event(EventKind.HELP_ASKED, actor, now, step, {"question": question})
    questions = _with(onboarding, Question(0, step, question, actor, now))
    return changed(onboarding, now, [event], questions=questions)


def answer_from_guide(
    onboarding: Onboarding, step: int, question: str, passage: str, actor: Actor, now: datetime
) -> Change:
    """Record a question that a passage of the guide answers."""
    mine = (one.at for one in onboarding.questions if _is_of(one, actor) and one.passage)
    if wait := ANSWERS.wait(mine, now):
        raise Refused(f"Those are a lot of questions. Please ask again {in_minutes(wait)}.")
    detail = {"question": question, "passage": passage}
    event = Event(EventKind.GUIDE_ANSWERED, actor, now, step, detail)
    questions = _with(onboarding, Question(0, step, question, actor, now, passage))
    return changed(onboarding, now, [event], questions=questions)


def answer_questions(onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
    """Close the open questions, because an engineer wrote in the thread."""
    open_ = onboarding.open_questions
    if not open_:
        raise Refused("No question is open.")
    closed = tuple(
        replace(question, answered_by=actor, answered_at=now) if question.open else question
        for question in onboarding.questions
    )
    detail = {"questions": [question.number for question in open_]}
    event = Event(EventKind.HELP_ANSWERED, actor, now, open_[-1].step, detail)
    return changed(onboarding, now, [event], questions=closed)


def _with(onboarding: Onboarding, question: Question) -> tuple[Question, ...]:
    number = len(onboarding.questions) + 1
    return (*onboarding.questions, replace(question, number=number))


def _is_of(question: Question, actor: Actor) -> bool:
    return (question.by.user_id, question.by.team_id) == (actor.user_id, actor.team_id)
