"""Words in the thread: the way for people whose organisation lets them press no buttons.

People also just talk there, so only a message that is one of the words, and nothing else, counts;
who mentions the bot gets an answer in any case. Secrets never go this way.
"""

import re
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.use_cases import UseCases
from handlers.answers import Answers, quietly
from handlers.payloads import Envelope, Said


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the listener."""

    @app.event("message")
    async def message(body: dict[str, Any], event: dict[str, Any]) -> None:
        said = Said.of(event)
        if not said.by_a_person:
            return
        text, mentioned = _without_mention(said.text, answers.bot_user_id)
        if said.thread_ts is None and not mentioned:
            return
        async with quietly():
            request = said.request(Envelope.of(body))
            reply = await use_cases.words.say(request, said.thread_ts, text, mentioned=mentioned)
            if reply:
                answers.reply(said, reply)


def _without_mention(text: str, bot_user_id: str) -> tuple[str, bool]:
    """Return what was said to us, and whether we were mentioned. Slack escapes &, < and >."""
    rest, count = re.subn(rf"<@{bot_user_id}(\|[^>]*)?>", " ", text)
    return " ".join(rest.split()), count > 0
