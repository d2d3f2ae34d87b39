"""Engineers close clients' questions and send messages to the thread: buttons, shortcuts."""

import re
from collections.abc import Awaitable, Callable

from bot.use_cases import Request, UseCases
from bot.views import ids
from bot.views.ephemeral import EphemeralReply, plain_answer
from handlers.listeners import Listeners
from handlers.payloads import Press, Shortcut


def register(on: Listeners, use_cases: UseCases) -> None:
    engineers = use_cases.engineer_replies
    shortcuts: dict[str, Callable[[Request, str, str], Awaitable[str]]] = {
        ids.SEND_TO_CLIENT_THREAD: engineers.send,
        ids.MARK_QUESTION_ANSWERED: engineers.mark_pointed,
        ids.NOTE_TO_HISTORY: engineers.note,
    }

    @on.shortcut(*shortcuts)
    async def shortcut(used: Shortcut) -> str:
        thread_ts = used.thread_ts or used.message.ts
        return await shortcuts[used.callback_id](used.request, thread_ts, used.message.text)

    @on.press(Press.of, re.compile(rf"^{ids.MARK_ANSWERED}(:\d+)?$"))
    async def mark_answered(press: Press) -> str | EphemeralReply:
        return _reply(press, await engineers.mark(press.request, press.step))

    @on.press(Press.of, ids.SEND_TO_THREAD)
    async def send_to_thread(press: Press) -> str | EphemeralReply:
        sent = await engineers.send_offered(press.request, press.step, press.thread_ts)
        return _reply(press, sent)

    @on.press(Press.of, ids.NOT_ANSWERED)
    async def not_answered(press: Press) -> str | EphemeralReply:
        return _reply(press, "OK, nothing was changed.")


def _reply(press: Press, text: str) -> str | EphemeralReply:
    """Replace a private line with the answer, or answer privately below a public message."""
    return plain_answer(text) if press.container.is_ephemeral else text
