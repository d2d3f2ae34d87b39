"""`/servicetitan report`: how the onboardings of a period went, for engineers."""

from slack_sdk.models.views import View

from bot.core.deadline import detached_task
from bot.core.errors import Refused
from bot.onboarding.reporting import Report, report_on
from bot.onboarding.reporting.period import Period
from bot.use_cases.authorization import must_have_opened
from bot.use_cases.services import Opening, Request
from bot.use_cases.use_case import UseCase
from bot.views.ids import FormRef
from bot.views.reporting import OVERVIEW, report_modal
from storage.reporting import cases

DEFAULT = Period(30)
WHICH = "Which period? For example: `/servicetitan report 30d`, `report 90d` or `report all`"


class Reporting(UseCase):
    async def form(self, request: Request, words: str) -> Opening:
        """Return a window that fills once everything is added up."""
        await self._engineer(request.person)
        period = Period.parse(words) if words.strip() else DEFAULT
        if period is None:
            raise Refused(WHICH)
        ref = FormRef(request.channel, request.person.user_id, request.person.team_id)
        filling = detached_task(self._view(period, ref, OVERVIEW), "add up a report")
        return Opening(report_modal(None, period, ref, OVERVIEW), filling)

    async def page(self, request: Request, ref: FormRef, period: Period, page: str) -> View:
        """Return another page, for the person who opened the window."""
        await must_have_opened(self._services, request, ref)
        await self._engineer(request.person)
        return await self._view(period, ref, page)

    async def _view(self, period: Period, ref: FormRef, page: str) -> View:
        return report_modal(await self._report(period), period, ref, page)

    async def _report(self, period: Period) -> Report:
        services, now = self._services, self._services.clock()
        since = period.since(now)
        found = await cases(services.database, services.guides, since, now)
        return report_on(found, since, now)
