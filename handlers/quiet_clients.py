"""The buttons of the message about a quiet client, in the engineering channel."""

from bot.use_cases import UseCases
from bot.views import ids
from handlers.listeners import Listeners


def register(on: Listeners, use_cases: UseCases) -> None:
    quiet = use_cases.quiet_clients
    on.step_buttons(
        {
            ids.PAUSE_QUIET: quiet.pause_quiet,
            ids.ASK_AGAIN: quiet.ask_again,
            ids.CANCEL_QUIET: quiet.cancel_quiet_form,
        }
    )
