"""The forms of `/servicetitan start`: in this channel, or in a new one with people invited."""

from bot.use_cases import UseCases
from bot.views import ids
from bot.views.forms import View
from bot.views.start import outcome_view, working_view
from handlers.forms import Submission
from handlers.listeners import Listeners


def register(on: Listeners, use_cases: UseCases) -> None:
    """Register the forms' submissions; the command that opens them is in `commands`."""

    @on.form(ids.START_ONBOARDING)
    async def start_onboarding(form: Submission) -> None:
        client_name = form.text(ids.CLIENT_NAME)
        admins = list(form.input(ids.CLIENT_ADMINS).selected_users or ())
        engineer = form.input(ids.ENGINEER).selected_user or ""
        guide_id = form.chosen(ids.GUIDE)
        await use_cases.start.start(
            form.saying(client_name, engineer, guide_id, *admins),
            form.ref,
            client_name=client_name,
            admins=admins,
            engineer=engineer,
            guide_id=guide_id,
        )

    @on.form(ids.INVITE_CLIENT)
    async def invite_client(form: Submission) -> View:
        name, addresses = form.text(ids.CLIENT_NAME), form.text(ids.ADDRESSES)
        channel_name, private = form.text(ids.CHANNEL_NAME), bool(form.ticked(ids.PRIVATE_CHANNEL))
        engineer = form.input(ids.ENGINEER).selected_user or ""
        guide_id = form.chosen(ids.GUIDE)
        request = form.saying(name, addresses, channel_name, str(private), engineer, guide_id)
        asked = await use_cases.invitations.check(
            request,
            form.ref,
            client_name=name,
            addresses=addresses,
            channel_name=channel_name,
            private=private,
            engineer=engineer,
            guide_id=guide_id,
        )
        on.replies.work(form, use_cases.invitations.carry_out(request, asked), outcome_view)
        return working_view(asked.client_name)
