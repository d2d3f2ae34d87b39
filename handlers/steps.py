"""The buttons that only name a step, and the window for steps that a client finished earlier."""

from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncAck

from bot.use_cases import Request, UseCases
from bot.views import ids
from bot.views.forms import View
from bot.views.ids import StepRef
from handlers.forms import Submission
from handlers.listeners import Listeners
from handlers.payloads import Press, WindowPress
from handlers.replies import Outcome


def register(on: Listeners, use_cases: UseCases) -> None:
    steps, verification = use_cases.steps, use_cases.verification
    quiet = use_cases.quiet_clients
    by_button: dict[str, Callable[[Request, StepRef], Awaitable[Outcome]]] = {
        ids.STEP_DONE: steps.finish,
        ids.STEP_UNDO: steps.undo,
        ids.REOPEN_STEP: steps.reopen,
        ids.HAND_OVER: steps.hand_over,
        f"{ids.HAND_OVER}:phase": steps.hand_over_phase,
        ids.GIVE_BACK: steps.give_back,
        ids.MARK_STEP_DONE: use_cases.messages.mark_done,
        ids.STEP_HELP: use_cases.client_questions.form,
        ids.ENTER_CREDENTIALS: use_cases.credentials.form,
        ids.REVEAL_CREDENTIALS: use_cases.reveal_credentials.list_stored,
        ids.RUN_VERIFICATION: verification.request,
        ids.TEST_BOOKING: verification.request_with_booking,
        ids.CONFIRM_WRITES: verification.confirm_writes,
        ids.TELL_CLIENT: use_cases.after_go_live.tell,
        ids.SNOOZE: quiet.snooze,
        # About a quiet client, in the engineering channel.
        ids.PAUSE_QUIET: quiet.pause_quiet,
        ids.ASK_AGAIN: quiet.ask_again,
        ids.CANCEL_QUIET: quiet.cancel_quiet_form,
    }

    @on.press(Press, *by_button)
    async def press_button(press: Press) -> Outcome:
        return await by_button[press.action.action_id](press.request, press.step)

    @on.press(Press, f"{ids.CHOOSE_ACCOUNT}:")
    async def choose_account(press: Press) -> None:
        await steps.choose(press.request, press.step, press.argument)

    @on.press(WindowPress, ids.ALREADY_DONE)
    async def already_done(press: WindowPress) -> View:
        return await steps.catch_up_form(press.request, press.step)

    @on.form(ids.CATCH_UP)
    async def catch_up(form: Submission) -> None:
        last = form.chosen(ids.LAST_STEP)
        await steps.catch_up(form.saying(last), form.ref, last)

    @on.app.action(ids.GO_TO_STEP)
    @on.app.action(ids.HOME_OPEN)
    async def follow_link(ack: AsyncAck) -> None:
        await ack()  # Slack opens the button's link itself
