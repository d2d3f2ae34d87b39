"""What the commands of engineers share: which client is meant, one change, the reply."""

from functools import partial

from bot.core.mrkdwn import escape, thread_link
from bot.onboarding import Onboarding
from bot.use_cases.lookup import client_of
from bot.use_cases.services import Request
from bot.use_cases.use_case import AlsoWrite, Transition, UseCase
from bot.views.ephemeral import EphemeralReply, plain_answer


class EngineerUseCase(UseCase):
    """The base of the use cases that only engineers have."""

    async def _named(self, request: Request, name: str, *, finished: bool = False) -> Onboarding:
        """Return the client that an engineer means; raises NotAllowed for anyone else."""
        await self._engineer(request.person)
        return await client_of(self._services, request.channel, name, finished=finished)

    async def _carry_out(
        self,
        request: Request,
        onboarding: Onboarding,
        transition: Transition,
        also: AlsoWrite | None = None,
    ) -> Onboarding:
        actor = await self._engineer(request.person)
        return await self._change(request, onboarding.id, partial(transition, actor=actor), also)

    def _done(self, onboarding: Onboarding, said: str) -> EphemeralReply:
        where = ""
        if onboarding.thread_ts:
            url = self._services.slack.identity.url
            where = f" ({thread_link(url, onboarding.channel, onboarding.thread_ts)})"
        return plain_answer(f"*{escape(onboarding.client_name)}*: {said}{where}")
