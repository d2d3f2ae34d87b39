"""Engineers close clients' questions and send messages to the thread: buttons, shortcuts."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import Request, UseCases
from bot.use_cases.engineer_replies import Pointed
from bot.views import ids
from bot.views.ephemeral import plain_answer
from handlers.payloads import Press, Shortcut
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    _register_buttons(app, use_cases, replies)
    engineers = use_cases.engineer_replies
    shortcuts: dict[str, Callable[[Request, Pointed], Awaitable[str]]] = {
        ids.SEND_TO_CLIENT_THREAD: engineers.send,
        ids.MARK_QUESTION_ANSWERED: engineers.mark_pointed,
        ids.NOTE_TO_HISTORY: engineers.note,
    }

    async def shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Shortcut.of(body)) as used:
            written = used.message
            pointed = Pointed(written.ts, written.thread_ts, written.text)
            replies.tell(used, await shortcuts[used.callback_id](used.request, pointed))

    for callback_id in shortcuts:
        app.message_shortcut(callback_id)(shortcut)


def _register_buttons(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(re.compile(rf"^{ids.MARK_ANSWERED}(:\d+)?$"))
    async def mark_answered(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            marked = await use_cases.engineer_replies.mark(press.request, press.step)
            _say(replies, press, marked)

    @app.action(ids.SEND_TO_THREAD)
    async def send_to_thread(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            sent = await use_cases.engineer_replies.send_offered(
                press.request, press.step, press.thread_ts
            )
            _say(replies, press, sent)

    @app.action(ids.NOT_ANSWERED)
    async def not_answered(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            _say(replies, press, "OK, nothing was changed.")


def _say(replies: Replies, press: Press, text: str) -> None:
    """Replace a private line with the answer, or answer privately below a public message."""
    if press.container.is_ephemeral:
        replies.replace(press, plain_answer(text))
    else:
        replies.tell(press, text)
