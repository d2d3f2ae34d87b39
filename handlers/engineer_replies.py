"""Engineers close clients' questions and send messages to the thread: buttons, shortcuts."""

from collections.abc import Awaitable, Callable

from bot.use_cases import Request, UseCases
from bot.views import ids
from handlers.listeners import Listeners
from handlers.payloads import Press, Shortcut


def register(on: Listeners, use_cases: UseCases) -> None:
    engineers = use_cases.engineer_replies
    shortcuts: dict[str, Callable[[Request, str, str], Awaitable[str]]] = {
        ids.SEND_TO_CLIENT_THREAD: engineers.send,
        ids.MARK_QUESTION_ANSWERED: engineers.mark_question,
        ids.NOTE_TO_HISTORY: engineers.note,
    }

    @on.press(Shortcut, *shortcuts)
    async def shortcut(used: Shortcut) -> str:
        thread_ts = used.thread_ts or used.message.ts
        return await shortcuts[used.action.action_id](used.request, thread_ts, used.message.text)

    @on.press(Press, ids.MARK_ANSWERED, f"{ids.MARK_ANSWERED}:")
    async def mark_answered(press: Press) -> str:
        return await engineers.mark(press.request, press.step)

    @on.press(Press, ids.SEND_TO_THREAD)
    async def send_to_thread(press: Press) -> str:
        return await engineers.send_offered(press.request, press.step, press.thread_ts)

    @on.press(Press, ids.NOT_ANSWERED)
    async def not_answered(_press: Press) -> str:
        return "OK, nothing was changed."
