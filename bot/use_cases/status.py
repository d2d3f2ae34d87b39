"""What engineers look up: status, one client's credentials, the list of commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.errors import Refused
from bot.core.mrkdwn import channel_link
from bot.onboarding import Event, EventKind, Overview, Unread
from bot.onboarding.targets import risk_of
from bot.use_cases.lookup import must_be_no_secret
from bot.use_cases.services import Request
from bot.use_cases.slash_command import Named
from bot.use_cases.use_case import UseCase
from bot.views.blocks import EphemeralReply
from bot.views.command_help import help_answer
from bot.views.status import credentials_answer, status_answer
from bot.views.status_query import PAGE, STUCK, StatusQuery
from storage import event_log, status
from storage.status import Line

MOST_WITH_NOTES = 3


class StatusReport(UseCase):
    async def status(self, request: Request, words: str) -> EphemeralReply:
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
        here = await services.read(status.overview_in, channel)
        if here:
            return await self._shown(here, None)
        if named.channel:
            raise Refused(f"There's no onboarding in {channel_link(named.channel)}.")
        return await self._page(StatusQuery())

    async def page(self, request: Request, query: StatusQuery) -> EphemeralReply:
        await self._engineer(request.person)
        return await self._page(query, request.person.user_id)

    async def credentials(self, request: Request, name: str) -> EphemeralReply:
        """Return which credentials of a client are stored, and who entered them."""
        onboarding = await self._named(request, name, finished=True)
        return credentials_answer(onboarding, self._services.slack.identity.url)

    async def help(
        self, request: Request, _words: str = "", problem: str | None = None
    ) -> EphemeralReply:
        """Return the list of commands, after `problem`."""
        await self._engineer(request.person)
        return help_answer(problem)

    async def _page(self, query: StatusQuery, engineer: str = "") -> EphemeralReply:
        if query.filter == STUCK:
            lines = await self._stuck(query.page)
        else:
            lines = await self._found(query, engineer if query.filter else "")
            ended = StatusQuery(f"all {query.name}")
            if not lines and query.name and not query.everything and query.page == 1:
                lines = await self._found(ended)
                query = ended if lines else query
        return await self._shown(lines, query)

    async def _shown(self, lines: Sequence[Line], query: StatusQuery | None) -> EphemeralReply:
        """Return the reply with `lines`: a page of `query`, or else all clients of a channel."""
        services, now = self._services, self._services.clock()
        readable = [line for line in lines if isinstance(line, Overview)]
        risks = {one.id: risk_of(one, now, services.stall.timezone) for one in readable}
        return status_answer(
            lines,
            now=now,
            workspace_url=services.slack.identity.url,
            query=query,
            notes=await self._notes(lines) if query is None or query.name else {},
            risks={onboarding_id: risk for onboarding_id, risk in risks.items() if risk},
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

    async def _found(self, query: StatusQuery, engineer: str = "") -> Sequence[Line]:
        return await self._services.read(
            status.overview,
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
        async for lines in status.running(self._services.database):
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
