"""The slash command's answers, and taking up an onboarding that was paused."""

from bot.errors import Refused
from bot.onboarding import Onboarding
from bot.people import Actor, Role
from bot.use_cases.base import Request, UseCase
from bot.views.status import Answer, help_answer, plain_answer, status_answer
from storage import onboardings


class Overview(UseCase):
    """For engineers only."""

    async def status(self, request: Request) -> Answer:
        """Return the state of this channel's client; in other channels, of all active ones."""
        await self._must_be_engineer(request.person)
        services = self._services
        async with services.database.begin(write=False) as session:
            here = await onboardings.overview_in(session, request.channel)
            lines = here or await onboardings.overview(session)
        return status_answer(
            lines,
            services.shelf.newest,
            now=services.clock(),
            workspace_url=services.slack.identity.url,
            here=bool(here),
        )

    async def help(self, request: Request, problem: str | None = None) -> Answer:
        """Return the list of commands, after `problem`."""
        await self._must_be_engineer(request.person)
        return help_answer(problem)

    async def resume(self, request: Request) -> Answer:
        """Take up the channel's onboarding again."""
        await self._must_be_engineer(request.person)
        onboarding = await self._here(request)
        actor = Actor(request.person.user_id, request.person.team_id, Role.ENGINEER)
        await self._change(request, onboarding.id, lambda at, now: at.resume(actor, now))
        return plain_answer("Taken up again. The thread shows where it stands.")

    async def _here(self, request: Request) -> Onboarding:
        services = self._services
        async with services.database.begin(write=False) as session:
            found = await onboardings.running_in(session, services.shelf, request.channel)
        if not found:
            raise Refused("No onboarding runs in this channel. Type this in the client's channel.")
        return found[0]
