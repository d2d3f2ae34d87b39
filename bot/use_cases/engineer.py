"""What the commands for engineers share: finding the client, one change, the reply."""

from bot.core.mrkdwn import escape, thread_link
from bot.onboarding import Onboarding
from bot.onboarding.people import Actor
from bot.use_cases.authorization import must_have_opened
from bot.use_cases.lookup import client_of
from bot.use_cases.services import Request
from bot.use_cases.use_case import Transition, UseCase
from bot.views.ephemeral import EphemeralReply, plain_answer
from bot.views.ids import FormRef


class EngineerUseCase(UseCase):
    """The base of the use cases for engineers only; anyone else gets NotAllowed."""

    async def _named(self, request: Request, name: str, *, finished: bool = False) -> Onboarding:
        """Return the client that an engineer means."""
        await self._engineer(request.person)
        return await client_of(self._services, request.channel, name, finished=finished)

    async def _change_named(
        self, request: Request, name: str, transition: Transition, said: str
    ) -> EphemeralReply:
        """Change the client that an engineer means; return the reply."""
        found = await self._named(request, name)
        return self._done(await self._change_as_engineer(request, found.id, transition), said)

    async def _submitter(self, request: Request, ref: FormRef) -> Actor:
        """Return the engineer who submits a form; raises Refused if they didn't open it."""
        await must_have_opened(self._services, request, ref)
        return await self._engineer(request.person)

    def _done(self, onboarding: Onboarding, said: str) -> EphemeralReply:
        name = escape(onboarding.client_name)
        return plain_answer(f"*{name}*: {said}{self._thread(onboarding)}")

    def _thread(self, onboarding: Onboarding) -> str:
        """Return a link to the thread, in parentheses; empty if there is no thread."""
        if onboarding.thread_ts is None:
            return ""
        url = self._services.slack.identity.url
        return f" ({thread_link(url, onboarding.channel, onboarding.thread_ts)})"
