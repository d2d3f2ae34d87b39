"""Help: the guide's own first, then a question to the engineer."""

from slack_sdk.models.views import View

from bot.exposure import looks_like
from bot.onboarding import Onboarding
from bot.people import Deed
from bot.use_cases.base import InvalidInput, Request, UseCase, opened_by
from bot.views import modals
from bot.views.ids import FormRef, StepRef


class Help(UseCase):
    """The form for a question, and its submission."""

    async def form(self, request: Request, ref: StepRef) -> View:
        """Return the guide's help for a step, with a field for a question."""
        onboarding = await self._get(ref.onboarding_id)
        await self._actor(request, onboarding, Deed.CLIENT_STEP)
        at = onboarding.step(ref.step).number
        person = request.person
        form = FormRef(request.channel, person.user_id, person.team_id, onboarding.id, at)
        return modals.help_modal(onboarding, form)

    async def submit(self, request: Request, ref: FormRef, question: str) -> Onboarding:
        """Take the question of the form to the engineer."""
        opened_by(request, ref)
        if not question.strip():
            raise InvalidInput({"question": "Please write what you would like to know."})
        if shaped := looks_like(question, self._services.shelf.newest.credentials):
            label = self._services.shelf.newest.field(shaped[0]).label
            raise InvalidInput(
                {"question": f"Please take the {label} out: it belongs into “Enter securely” only."}
            )
        return await self.ask(request, StepRef(ref.onboarding_id, ref.step), question)

    async def ask(self, request: Request, ref: StepRef, question: str) -> Onboarding:
        """Take a question about a step to the engineer."""
        onboarding = await self._get(ref.onboarding_id)
        actor = await self._actor(request, onboarding, Deed.CLIENT_STEP)
        text = question.strip()
        return await self._change(
            request, onboarding.id, lambda at, now: at.ask_for_help(ref.step, text, actor, now)
        )
