"""Help: from the guide first, then a question to the engineer."""

from functools import partial

from bot.core.typed_text import prose
from bot.guide.answers import answer
from bot.onboarding import Onboarding
from bot.onboarding.permissions import Permission
from bot.onboarding.questions import answer_from_guide, ask_for_help
from bot.use_cases.authorization import must_have_opened
from bot.use_cases.services import InvalidInput, Request
from bot.use_cases.typed_secrets import is_guessing, secret_in
from bot.use_cases.use_case import UseCase
from bot.views import modals
from bot.views.forms import View
from bot.views.ids import FormRef, StepRef
from bot.views.reply_texts import asked_text

TOO_MANY_CODES = (
    "That's a lot of numbers and codes for one question. Please ask in your own words, without IDs "
    "and keys. If you've done that, please try again in an hour."
)


class ClientQuestions(UseCase):
    async def form(self, request: Request, ref: StepRef) -> View:
        """Return the guide's help for a step, with a field for a question."""
        onboarding = await self._get(ref.onboarding_id)
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        at = onboarding.step(ref.step).number
        return modals.help_modal(onboarding, request.form(onboarding.id, at))

    async def submit(self, request: Request, ref: FormRef, question: str) -> Onboarding:
        """Send the question in the form to the engineer."""
        await must_have_opened(self._services, request, ref)
        if not question.strip():
            raise InvalidInput({"question": "What would you like to know?"})
        onboarding = await self._get(ref.onboarding_id)
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        if await is_guessing(self._services, request, onboarding, question):
            raise InvalidInput({"question": TOO_MANY_CODES})
        if label := await secret_in(self._services, question, onboarding):
            raise InvalidInput(
                {"question": f"Please remove the {label}. Use “Enter securely” for that."}
            )
        return await self.ask(request, StepRef(ref.onboarding_id, ref.step), question)

    async def ask(self, request: Request, ref: StepRef, question: str, ts: str = "") -> Onboarding:
        asked = partial(ask_for_help, step=ref.step, question=_short(question), ts=ts)
        return await self._act(request, ref.onboarding_id, Permission.CLIENT_STEP, asked)

    async def ask_at_current(
        self, request: Request, onboarding: Onboarding, question: str, ts: str
    ) -> str:
        """Send what someone typed, in message `ts`, to the engineer; return the reply to them."""
        number = onboarding.current_step or len(onboarding.steps)
        await self.ask(request, StepRef(onboarding.id, number), question, ts)
        return asked_text(onboarding)

    async def answer(
        self, request: Request, onboarding: Onboarding, question: str, ts: str, *, trouble: bool
    ) -> bool:
        """Answer a question in the thread, if the guide has an answer; False if it doesn't.

        For `trouble`, only the guide's troubleshooting counts, or a passage of the current step:
        there, a wrong answer costs more.
        """
        step = onboarding.current_step
        found = answer(onboarding.guide, question, step=step)
        if found is None:
            return False
        if trouble and found.step != step and not found.id.startswith("trouble:"):
            return False
        answered = partial(
            answer_from_guide,
            step=found.step or step or len(onboarding.steps),
            question=_short(question),
            passage=found.id,
            ts=ts,
        )
        await self._act(request, onboarding.id, Permission.CLIENT_STEP, answered)
        return True


def _short(question: str) -> str:
    """Return a question cut to the stored length: in the thread it may be a whole message."""
    text = prose(question)
    return text if len(text) <= modals.LONGEST_QUESTION else f"{text[: modals.LONGEST_QUESTION]} …"
