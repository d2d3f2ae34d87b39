"""`/servicetitan start`'s form: a new onboarding."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.forms import Submission, at_the_form
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, _replies: Replies) -> None:
    """Register the form's submission; the command that opens it is in `commands`."""

    @app.view(ids.START_ONBOARDING)
    async def start_onboarding(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form):
            client_name = form.text(ids.CLIENT_NAME)
            admins = list(form.input(ids.CLIENT_ADMINS).selected_users or ())
            engineer = form.input(ids.ENGINEER).selected_user or ""
            await use_cases.start.start(
                form.saying(client_name, engineer, *admins),
                form.ref,
                client_name=client_name,
                admins=admins,
                engineer=engineer,
            )
