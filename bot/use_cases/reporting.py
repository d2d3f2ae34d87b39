"""`/servicetitan report`: how the onboardings of a period went, for engineers."""

import asyncio

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


class Reporting(UseCase):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._reports: dict[Period, asyncio.Task[Report]] = {}

    async def form(self, request: Request, words: str) -> Opening:
        """Return a window that is filled in once the report is computed."""
        await self._engineer(request.person)
        period = Period.parse(words) if words.strip() else DEFAULT
        if period is None:
            raise Refused(
                "Which period? For example: `/servicetitan report 30d`, `report 90d` or "
                "`report all`"
            )
        self._reports.pop(period, None)
        ref = request.form()
        filling = detached_task(self._view(period, ref, OVERVIEW), "fill a report")
        return Opening(report_modal(None, period, ref, OVERVIEW), filling)

    async def page(self, request: Request, ref: FormRef, period: Period, page: str) -> View:
        """Return another page, for the person who opened the window."""
        await self._submitter(request, ref)
        return await self._view(period, ref, page)

    async def _view(self, period: Period, ref: FormRef, page: str) -> View:
        report = self._reports.get(period)
        if report is None or (report.done() and report.exception()):
            report = detached_task(self._add_up(period), "add up a report")
            self._reports[period] = report
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, period, report)
        return report_modal(await asyncio.shield(report), period, ref, page)

    def _forget(self, period: Period, report: asyncio.Task[Report]) -> None:
        if self._reports.get(period) is report:
            del self._reports[period]

    async def _add_up(self, period: Period) -> Report:
        services, now = self._services, self._services.clock()
        since = period.since(now)
        found = await cases(services.database, since, now)
        return await asyncio.to_thread(report_on, found, since, now)
