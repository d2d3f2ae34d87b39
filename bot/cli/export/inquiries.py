"""The questions of an export: who asked, who answered, and where both can be read in Slack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.mrkdwn import permalink
from bot.onboarding import Onboarding, Question
from bot.onboarding.history.sentences import quoted
from bot.views import guide_answer, team_reply


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question and its answer; a link is None if no message is known, or no workspace."""

    question: Question
    text: str
    link: str | None
    answered_at: datetime | None
    answer_link: str | None


def inquiries(
    onboarding: Onboarding, messages: Mapping[str, str], workspace_url: str
) -> Sequence[Inquiry]:
    """Return the questions, oldest first. `messages` are the timestamps of ours, by slot."""

    def link(ts: str | None) -> str | None:
        if not ts or not workspace_url:
            return None
        return permalink(workspace_url, onboarding.channel, ts, onboarding.thread_ts)

    return [
        Inquiry(
            question,
            text=quoted(onboarding.guide, question.text),
            link=link(question.ts),
            answered_at=question.at if question.passage else question.answered_at,
            answer_link=link(_answer_ts(onboarding, question, messages)),
        )
        for question in onboarding.questions
    ]


def _answer_ts(
    onboarding: Onboarding, question: Question, messages: Mapping[str, str]
) -> str | None:
    """Return the message that answers a question: from the guide, sent by us, or an engineer's."""
    if question.passage:
        return messages.get(guide_answer.slot(question.number))
    sent = (one for one in onboarding.team_replies if one.at == question.answered_at)
    if reply := next(sent, None):
        return messages.get(team_reply.slot(reply.number))
    return question.answer_ts
