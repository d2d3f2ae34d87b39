"""What people write in the channel: secrets to warn about, and commands in the thread.

Typed commands are for people whose organization doesn't let them press buttons. People also just
talk there, so only clear commands count, and near misses are asked about; anyone who mentions the
bot gets an answer. Secrets don't belong here: people are warned as soon as one is seen.
"""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.typed_text import one_line
from bot.use_cases import Request, UseCases
from bot.views import ids
from bot.views.ephemeral import plain_answer
from handlers.events import Deletion, Envelope, ThreadMessage, quietly
from handlers.payloads import Press
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    _register_buttons(app, use_cases, replies)

    @app.event("message")
    async def message(body: dict[str, Any], event: dict[str, Any]) -> None:
        if gone := Deletion.of_event(event):
            async with quietly():
                request = gone.request(Envelope.of(body))
                await use_cases.channels.message_deleted(request, gone.deleted_ts or "")
            return
        written = ThreadMessage.of_event(event)
        async with quietly():
            if not written.channel:
                return
            request = written.request(Envelope.of(body))
            warning = await use_cases.posted_secrets.look(
                request, written.thread_ts, written.everything
            )
            if warning and written.by_a_person:  # an app couldn't read the warning
                replies.reply(written, warning)
            elif written.is_talk and not written.same_text:
                await _word(written, written.as_words(request))

    async def _word(written: ThreadMessage, request: Request) -> None:
        text, mentioned = _without_mention(written.plain, replies.bot_user_id)
        if written.thread_ts is None and not mentioned:
            return
        reply = await use_cases.messages.say(
            request, written.thread_ts, written.ts, text, mentioned=mentioned
        )
        if reply:
            replies.reply(written, reply)


def _register_buttons(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    """Register the buttons of the line that asks what a message meant."""

    @app.action(ids.MARK_STEP_DONE)
    async def mark_step_done(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            done = await use_cases.messages.mark_done(press.request, press.step)
            replies.replace(press, plain_answer(done))

    @app.action(ids.SEND_TO_ENGINEER)
    async def send_to_engineer(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            sent = await use_cases.messages.send(press.request, press.step, press.thread_ts)
            replies.replace(press, plain_answer(sent))

    @app.action(ids.JUST_CHATTING)
    async def just_chatting(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.replace(press, plain_answer("Got it. I'll stay out of it."))


def _without_mention(text: str, bot_user_id: str) -> tuple[str, bool]:
    """Return the message without a mention of us, and whether we were mentioned."""
    rest, count = re.subn(f"<@{bot_user_id}>", " ", text)
    return one_line(rest), count > 0
