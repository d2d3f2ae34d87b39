"""What people write in the channel: secrets to warn about, and commands in the thread.

Typed commands are for people whose organization doesn't let them press buttons. People also just
talk there, so only clear commands count, and near misses are asked about; anyone who mentions the
bot gets an answer. Secrets don't belong here: people are warned as soon as one is seen.
"""

import re

from bot.core.typed_text import as_typed, one_line
from bot.use_cases import UseCases
from bot.views import ids
from handlers.events import Deletion, ThreadMessage, read_message
from handlers.listeners import Listeners
from handlers.payloads import Press


def register(on: Listeners, use_cases: UseCases) -> None:
    @on.event(read_message, "message")
    async def message(event: Deletion | ThreadMessage) -> None:
        if isinstance(event, Deletion):
            await use_cases.channels.message_deleted(event.request, event.deleted_ts)
            return
        if not event.channel:
            return
        warning = await use_cases.posted_secrets.look(
            event.request, event.thread_ts, event.everything
        )
        if warning and event.by_a_person:  # an app couldn't read the warning
            on.replies.reply(event, warning)
        elif event.is_talk and not event.same_text:
            text, mentioned = _without_mention(as_typed(event.text), on.replies.bot_user_id)
            if event.thread_ts is None and not mentioned:
                return
            reply = await use_cases.messages.say(
                event.as_words, event.thread_ts, event.ts, text, mentioned=mentioned
            )
            if reply:
                on.replies.reply(event, reply)

    @on.press(Press, ids.SEND_TO_ENGINEER)
    async def send_to_engineer(press: Press) -> str:
        return await use_cases.messages.send(press.request, press.step, press.thread_ts)

    @on.press(Press, ids.JUST_CHATTING)
    async def just_chatting(_press: Press) -> str:
        return "Got it. I'll stay out of it."


def _without_mention(text: str, bot_user_id: str) -> tuple[str, bool]:
    """Return the message without a mention of us, and whether we were mentioned."""
    rest, count = re.subn(f"<@{bot_user_id}>", " ", text)
    return one_line(rest), count > 0
