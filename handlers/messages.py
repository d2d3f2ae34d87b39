"""What people write in the channel: values that must stay secret, and words in the thread.

Words are the way for people whose organisation lets them press no buttons. People also just talk
there, so only what is clear counts, and what comes near is asked about; who mentions the bot gets
an answer in any case. Secrets never go this way: one that is seen is told of at once.
"""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.typed_text import one_line
from bot.use_cases import Request, UseCases
from bot.views import ids
from bot.views.status import plain_answer
from handlers.payloads import Deletion, Envelope, Said
from handlers.replies import Answers, quietly


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the listeners."""
    _register_buttons(app, use_cases, answers)

    @app.event("message")
    async def message(body: dict[str, Any], event: dict[str, Any]) -> None:
        if gone := Deletion.of_event(event):
            async with quietly():
                request = gone.request(Envelope.of(body))
                await use_cases.channels.message_deleted(request, gone.deleted_ts or "")
            return
        said = Said.of_event(event)
        if not said.is_readable:
            return
        async with quietly():
            request = said.request(Envelope.of(body))
            warning = await use_cases.posted_secrets.look(request, said.thread_ts, said.everything)
            if warning:
                answers.reply(said, warning)
            elif said.by_a_person and not said.same_text:
                await _word(said, said.as_words(request))

    async def _word(said: Said, request: Request) -> None:
        text, mentioned = _without_mention(said.plain, answers.bot_user_id)
        if said.thread_ts is None and not mentioned:
            return
        reply = await use_cases.words.say(
            request, said.thread_ts, said.ts, text, mentioned=mentioned
        )
        if reply:
            answers.reply(said, reply)


def _register_buttons(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the buttons of the line that asks what a message meant."""

    @app.action(ids.MARK_STEP_DONE)
    async def mark_step_done(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with answers.to(body) as (press, step):
            done = await use_cases.words.mark_done(press.request, step)
            answers.replace(press, plain_answer(done))
        await ack()

    @app.action(ids.SEND_TO_ENGINEER)
    async def send_to_engineer(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with answers.to(body) as (press, step):
            sent = await use_cases.words.send(press.request, step, press.thread_ts)
            answers.replace(press, plain_answer(sent))
        await ack()

    @app.action(ids.JUST_CHATTING)
    async def just_chatting(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with answers.to(body) as (press, _):
            answers.replace(press, plain_answer("Got it. I'll stay out of it."))
        await ack()


def _without_mention(text: str, bot_user_id: str) -> tuple[str, bool]:
    """Return what was said to us, and whether we were mentioned."""
    rest, count = re.subn(f"<@{bot_user_id}>", " ", text)
    return one_line(rest), count > 0
