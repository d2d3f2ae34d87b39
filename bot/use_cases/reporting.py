"""`/servicetitan report`: how the onboardings of a period went, for engineers."""

import asyncio
from dataclasses import dataclass

from bot.core.deadline import detached_task
from bot.core.errors import Refused
from bot.onboarding.reporting import Report, report_on
from bot.onboarding.reporting.period import Period
from bot.use_cases.services import Opening, Request, Services
from bot.use_cases.use_case import UseCase
from bot.views.forms import View
from bot.views.ids import FormRef
from bot.views.reporting import OVERVIEW, report_modal
from storage.reporting import cases

DEFAULT = Period(30)
# A report is kept for its other pages: computing it may take seconds.
KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Begun:
    """A report that is being computed, or is complete."""

    period: Period
    report: asyncio.Task[Report]


class Reporting(UseCase):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._latest: Begun | None = None

    async def form(self, request: Request, words: str) -> Opening:
        """Return a window that is filled in once the report is computed."""
        await self._engineer(request.person)
        period = Period.parse(words) if words.strip() else DEFAULT
        if period is None:
            raise Refused(
                "Which period? For example: `/servicetitan report 30d`, `report 90d` or "
                "`report all`"
            )
        ref = FormRef(request.channel, request.person.user_id, request.person.team_id)
        filling = detached_task(self._view(self._begin(period), ref, OVERVIEW), "fill a report")
        return Opening(report_modal(None, period, ref, OVERVIEW), filling)

    async def page(self, request: Request, ref: FormRef, period: Period, page: str) -> View:
        """Return another page, for the person who opened the window."""
        await self._submitter(request, ref)
        return await self._view(self._kept(period) or self._begin(period), ref, page)

    async def _view(self, begun: Begun, ref: FormRef, page: str) -> View:
        return report_modal(await asyncio.shield(begun.report), begun.period, ref, page)

    def _kept(self, period: Period) -> Begun | None:
        kept = self._latest
        if kept is None or kept.period != period:
            return None
        failed = kept.report.done() and (kept.report.cancelled() or kept.report.exception())
        return None if failed else kept

    def _begin(self, period: Period) -> Begun:
        begun = Begun(period, detached_task(self._add_up(period), "add up a report"))
        self._latest = begun
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, begun)
        return begun

    def _forget(self, begun: Begun) -> None:
        if self._latest is begun:
            self._latest = None

    async def _add_up(self, period: Period) -> Report:
        services, now = self._services, self._services.clock()
        since = period.since(now)
        found = await cases(services.database, services.guides, since, now)
        return await asyncio.to_thread(report_on, found, since, now)
