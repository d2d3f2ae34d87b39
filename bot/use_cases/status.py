"""What engineers look up: status, one client's credentials, the list of commands."""

from bot.core.errors import Refused
from bot.core.mrkdwn import channel_link
from bot.use_cases.lookup import client_of, must_be_no_secret
from bot.use_cases.services import Request
from bot.use_cases.slash_command import Named
from bot.use_cases.use_case import UseCase
from bot.views.status import (
    PAGE,
    EphemeralReply,
    StatusQuery,
    credentials_answer,
    help_answer,
    status_answer,
)
from storage import status


class Overview(UseCase):
    """For engineers only."""

    async def status(self, request: Request, words: str = "") -> EphemeralReply:
        """Return the state of this channel's clients; in other channels, of all active ones.

        `words` are a part of a client's name, its channel, or `all`, which includes those who are
        through.
        """
        await self._engineer(request.person)
        services, named = self._services, Named.of(words)
        if named.name:
            must_be_no_secret(self._services, words)
            return await self._page(StatusQuery(named.name))
        channel = named.channel or request.channel
        async with services.database.begin(write=False) as session:
            here = await status.overview_in(session, services.guides, channel)
        if not here and named.channel:
            raise Refused(f"There's no onboarding in {channel_link(named.channel)}.")
        if not here:
            return await self._page(StatusQuery())
        return status_answer(
            here,
            now=services.clock(),
            workspace_url=services.slack.identity.url,
            here=True,
        )

    async def page(self, request: Request, query: StatusQuery) -> EphemeralReply:
        """Return another page of what was asked for."""
        await self._engineer(request.person)
        return await self._page(query)

    async def credentials(self, request: Request, name: str) -> EphemeralReply:
        """Return which credentials of a client are stored, and who entered them."""
        await self._engineer(request.person)
        onboarding = await client_of(self._services, request.channel, name, finished=True)
        return credentials_answer(onboarding, self._services.slack.identity.url)

    async def help(self, request: Request, problem: str | None = None) -> EphemeralReply:
        """Return the list of commands, after `problem`."""
        await self._engineer(request.person)
        return help_answer(problem)

    async def _page(self, query: StatusQuery) -> EphemeralReply:
        services = self._services
        async with services.database.begin(write=False) as session:
            lines = await status.overview(
                session,
                services.guides,
                name=query.name,
                finished=query.everything,
                offset=(query.page - 1) * PAGE,
                limit=PAGE + 1,
            )
        return status_answer(
            lines,
            now=services.clock(),
            workspace_url=services.slack.identity.url,
            here=False,
            query=query,
        )
