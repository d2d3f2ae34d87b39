"""What engineers look up: status, one client's credentials, the list of commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.errors import Refused
from bot.core.mrkdwn import channel_link
from bot.onboarding import Event, EventKind, Overview, Unread
from bot.onboarding.targets import Risk, risk_of
from bot.use_cases.lookup import client_of, must_be_no_secret
from bot.use_cases.services import Request
from bot.use_cases.slash_command import Named
from bot.use_cases.use_case import UseCase
from bot.views.command_help import help_answer
from bot.views.ephemeral import EphemeralReply
from bot.views.status import credentials_answer, status_answer
from bot.views.status_query import PAGE, STUCK, StatusQuery
from storage import event_log, status
from storage.status import Line

MOST_WITH_NOTES = 3


class StatusReport(UseCase):
    """For engineers only."""

    async def status(self, request: Request, words: str = "") -> EphemeralReply:
        """Return the state of this channel's clients; in other channels, of all active ones.

        `words` are part of a client's name, its channel, or `all`, which includes finished
        onboardings.
        """
        await self._engineer(request.person)
        services, named = self._services, Named.of(words)
        if StatusQuery(words).filter:
            return await self._page(StatusQuery(words), request.person.user_id)
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
            query=None,
            notes=await self._notes(here),
            risks=self._risks(here),
        )

    async def page(self, request: Request, query: StatusQuery) -> EphemeralReply:
        """Return another page of a status reply."""
        await self._engineer(request.person)
        return await self._page(query, request.person.user_id)

    async def credentials(self, request: Request, name: str) -> EphemeralReply:
        """Return which credentials of a client are stored, and who entered them."""
        await self._engineer(request.person)
        onboarding = await client_of(self._services, request.channel, name, finished=True)
        return credentials_answer(onboarding, self._services.slack.identity.url)

    async def help(
        self, request: Request, _words: str = "", problem: str | None = None
    ) -> EphemeralReply:
        """Return the list of commands, after `problem`."""
        await self._engineer(request.person)
        return help_answer(problem)

    async def _page(self, query: StatusQuery, engineer: str = "") -> EphemeralReply:
        services = self._services
        if query.filter == STUCK:
            lines = await self._stuck(query.page)
        else:
            lines = await self._found(query, engineer if query.filter else "")
            ended = StatusQuery(f"all {query.name}")
            if not lines and query.name and not query.everything and query.page == 1:
                lines = await self._found(ended)
                query = ended if lines else query
        return status_answer(
            lines,
            now=services.clock(),
            workspace_url=services.slack.identity.url,
            query=query,
            notes=await self._notes(lines) if query.name else {},
            risks=self._risks(lines),
        )

    async def _notes(self, lines: Sequence[Line]) -> Mapping[str, Sequence[Event]]:
        """Return engineers' notes about a few clients, oldest first; empty for many clients."""
        if len(lines) > MOST_WITH_NOTES:
            return {}
        async with self._services.database.begin(write=False) as session:
            return {
                line.id: await event_log.events_of(session, line.id, EventKind.NOTED)
                for line in lines
            }

    def _risks(self, lines: Sequence[Line]) -> Mapping[str, Risk]:
        now, timezone = self._services.clock(), self._services.stall.timezone
        readable = [line for line in lines if isinstance(line, Overview)]
        return {line.id: risk for line in readable if (risk := risk_of(line, now, timezone))}

    async def _found(self, query: StatusQuery, engineer: str = "") -> Sequence[Line]:
        async with self._services.database.begin(write=False) as session:
            return await status.overview(
                session,
                self._services.guides,
                name=query.name,
                finished=query.everything,
                engineer=engineer,
                offset=(query.page - 1) * PAGE,
                limit=PAGE + 1,
            )

    async def _stuck(self, page: int) -> Sequence[Line]:
        """Return a page of stuck onboardings, and one more than fits."""
        now, first = self._services.clock(), (page - 1) * PAGE
        stuck: list[Line] = []
        async for lines in status.running(self._services.database, self._services.guides):
            stuck += [line for line in lines if self._is_stuck(line, now)]
            if len(stuck) > first + PAGE:
                break
        return stuck[first : first + PAGE + 1]

    def _is_stuck(self, line: Line, now: datetime) -> bool:
        if isinstance(line, Unread):
            return True
        troubled = line.loss or line.exposed_values or line.open_questions
        failed = line.verification == "failed"
        return bool(troubled or failed) or self._services.stall.applies_to(line, now)
