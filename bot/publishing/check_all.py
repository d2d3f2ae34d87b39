"""Shows a round of `check all` in the engineering channel: its progress, then its outcome."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.errors import NotFound, UnreadableRow
from bot.onboarding import Onboarding, Verification
from bot.publishing.notices import Notices
from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.check_all import progress_message, result_message, slot
from storage import onboardings, rechecks
from storage.database import Database
from storage.rechecks import Round

log = logging.getLogger(__name__)

# How long to wait for a check's result.
PATIENCE = timedelta(minutes=15)
# The most often that the message is edited.
PROGRESS_EVERY = timedelta(seconds=10)


class RoundPublisher:
    def __init__(
        self,
        *,
        slack: Slack,
        database: Database,
        channel: str,
        notices: Notices,
        clock: Callable[[], datetime],
    ) -> None:
        self._slack, self._database = slack, database
        self._channel, self._notices, self._clock = channel, notices, clock
        self._shown_at: datetime | None = None

    async def look(self) -> None:
        """Show the running round's progress, and its outcome at the end."""
        async with self._database.begin(write=False, background=True) as session:
            running = await rechecks.running_round(session)
            checked = await rechecks.checked(session, running) if running else 0
        if running is None:
            return
        try:
            await self._show(running, checked)
        except SlackRefused as error:  # /readyz reports a lost engineering channel
            log.warning("a round's progress wasn't shown", extra={"reason": str(error)})

    async def show_result(self, one: Round) -> None:
        """Show a round's current outcome: who has been asked since, and who is fixed."""
        if ts := await self._notices.posted(slot(one.id)):
            await self._slack.update(self._channel, ts, await self._result(one))

    async def results(self, one: Round) -> list[tuple[Onboarding, Verification | None]]:
        """Return a round's clients with their latest check since its start."""
        results = []
        for onboarding_id in one.clients:
            try:
                async with self._database.begin(write=False, background=True) as session:
                    onboarding = await onboardings.get(session, onboarding_id)
            except (NotFound, UnreadableRow):  # it was logged
                continue
            results.append((onboarding, _latest(onboarding, one.started_at)))
        return results

    async def _show(self, running: Round, checked: int) -> None:
        total, now, name = len(running.clients), self._clock(), slot(running.id)
        late = now - running.next_at > PATIENCE
        is_over = running.position >= total and (checked == total or late)
        shown = total if is_over else checked
        progress = progress_message(running.id, running.by_user, shown, total)

        async def compose(_since: datetime) -> Message:
            return progress

        ts = await self._notices.post(name, compose)
        if not ts:
            return
        if is_over:
            await self._end(running, ts)
        elif self._shown_at is None or now - self._shown_at >= PROGRESS_EVERY:
            async with self._database.begin(background=True) as session:
                is_ours = await rechecks.claim_progress(session, running.id, checked)
            if is_ours:
                self._shown_at = now
                await self._slack.update(self._channel, ts, progress)

    async def _end(self, running: Round, ts: str) -> None:
        try:
            await self._slack.update(self._channel, ts, await self._result(running))
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise
            await self._notices.forget(slot(running.id))  # somebody deleted it: post it again
            return
        async with self._database.begin(background=True) as session:
            await rechecks.end_round(session, running.id)

    async def _result(self, one: Round) -> Message:
        url = self._slack.identity.url
        found = await self.results(one)
        return result_message(one.id, one.by_user, one.started_at, found, url)


def _latest(onboarding: Onboarding, since: datetime) -> Verification | None:
    runs = reversed(onboarding.verifications)
    return next((run for run in runs if run.report and run.report.started_at >= since), None)
