"""Brings a thread level: what the state says it should hold, against what was posted.

A message is posted once. Before the post, its slot is claimed in the database; if the answer is
lost, the message is looked for by its metadata before anything is posted again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime

from bot.errors import Stale, Unavailable
from bot.onboarding import Onboarding, Status, StepState
from bot.slack import RateLimited, Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.ending import ended_message
from bot.views.exposure import exposure_message
from bot.views.questions import answer_message
from bot.views.reminder import reminder_message, stands
from bot.views.reminder import slot as reminder_slot
from bot.views.report import verification_message
from bot.views.root import ROOT, root_message, welcome_message
from bot.views.step import slot as step_slot
from bot.views.step import step_message
from storage import publishing
from storage.database import Database
from storage.publishing import Posted

log = logging.getLogger(__name__)

# Refusals of an edit that no repetition changes: the message stays as it is.
FIXED = {"message_not_found", "cant_update_message", "edit_window_closed"}


def desired(onboarding: Onboarding, posted: Mapping[str, Posted]) -> Iterator[Message]:
    """Yield the messages that the thread should hold, in the order in which they are posted.

    A step that waits has a message only if it was posted before (it was undone), and so has a
    reminder that is settled.
    """
    yield root_message(onboarding)
    yield welcome_message(onboarding)
    for progress in onboarding.steps:
        if progress.state is not StepState.WAITING or step_slot(progress.number) in posted:
            yield step_message(onboarding, progress.number)
    for run in onboarding.verifications:
        if run.report:
            yield verification_message(onboarding, run, run.report)
    for exposure in onboarding.exposures:
        yield exposure_message(onboarding, exposure)
    for question in onboarding.questions:
        if question.passage:
            yield answer_message(onboarding, question)
    yield from _reminders(onboarding, posted)
    if onboarding.status is Status.CANCELLED:
        yield ended_message(onboarding)


def _reminders(onboarding: Onboarding, posted: Mapping[str, Posted]) -> Iterator[Message]:
    for reminder in onboarding.reminders:
        if stands(onboarding, reminder) or reminder_slot(reminder.number) in posted:
            yield reminder_message(onboarding, reminder)


class Thread:
    """Posts and updates the messages of threads."""

    def __init__(self, slack: Slack, database: Database, clock: Callable[[], datetime]) -> None:
        """Take Slack, where to write down what was posted, and the time."""
        self._slack, self._database, self._clock = slack, database, clock

    async def level(
        self,
        onboarding: Onboarding,
        posted: Mapping[str, Posted],
        prolong: Callable[[], Awaitable[None]],
        look_since: datetime | None = None,
    ) -> dict[str, str]:
        """Post what is missing, in order, and update what differs, at the same time.

        `prolong` keeps the lease. From `look_since` on, messages may stand in Slack that `posted`
        does not know. Returns the ts of every message by slot. What fails does not
        keep the rest from being done; the first error is raised at the end.
        """
        timestamps = {slot: one.ts for slot, one in posted.items() if one.ts}
        missing: list[tuple[Message, datetime | None]] = []
        different: list[tuple[Message, str]] = []
        for message in desired(onboarding, posted):
            known = posted.get(message.slot)
            if known is None or known.ts is None:
                # A post whose answer was lost, or that a restored backup does not know.
                missing.append((message, known.posting_since if known else look_since))
            elif known.digest != message.digest:
                different.append((message, known.ts))
        await _all(
            self._update_all(onboarding, different),
            self._post_all(onboarding, missing, timestamps, prolong),
        )
        return timestamps

    async def _update_all(
        self, onboarding: Onboarding, different: Sequence[tuple[Message, str]]
    ) -> None:
        if not different:
            return
        # If an answer is lost, nobody knows what the message says: the next state may be one in
        # which it says again what we know last.
        slots = [message.slot for message, _ in different]
        async with self._database.begin() as session:
            await publishing.forget_digests(session, onboarding.id, slots)
        await _all(*(self._update(onboarding, message, ts) for message, ts in different))

    async def _post_all(
        self,
        onboarding: Onboarding,
        missing: list[tuple[Message, datetime | None]],
        timestamps: dict[str, str],
        prolong: Callable[[], Awaitable[None]],
    ) -> None:
        thread_ts = onboarding.thread_ts
        for message, earlier in missing:
            await prolong()
            ts = await self._post(onboarding, message, earlier, thread_ts)
            timestamps[message.slot] = ts
            if message.slot == ROOT:
                thread_ts = ts

    async def _post(
        self,
        onboarding: Onboarding,
        message: Message,
        earlier: datetime | None,
        thread_ts: str | None,
    ) -> str:
        if earlier:
            ts = await self._found(onboarding, message, earlier, thread_ts)
            if ts:  # what stands there may be older than what should
                await self._update(onboarding, message, ts)
                return ts
        await self._record(onboarding, message, None, posting_since=earlier or self._clock())
        try:
            ts = await self._slack.post(onboarding.channel, message, thread_ts)
        except (RateLimited, SlackRefused):  # this one was certainly not posted
            await self._record(onboarding, message, None, posting_since=earlier)
            raise
        await self._record(onboarding, message, ts, digest=message.digest)
        return ts

    async def _found(
        self, onboarding: Onboarding, message: Message, since: datetime, thread_ts: str | None
    ) -> str | None:
        try:
            return await self._slack.find(onboarding.channel, message, since, thread_ts)
        except SlackRefused as error:
            # Whether bots may read threads is not documented without contradiction. A message
            # twice is better than a step that never appears.
            log.warning("cannot look for a lost message", extra={"code": error.code})
            return None

    async def _update(self, onboarding: Onboarding, message: Message, ts: str) -> None:
        try:
            await self._slack.update(onboarding.channel, ts, message)
        except SlackRefused as error:
            if error.code not in FIXED:
                raise
            extra = {"onboarding": onboarding.id, "slot": message.slot, "code": error.code}
            log.warning("a message cannot be edited any more", extra=extra)
            if error.code == "message_not_found" and message.has_buttons:
                await self._record(onboarding, message, None)  # deleted: people need it again
                raise Unavailable("a message was deleted") from None
        await self._record(onboarding, message, ts, digest=message.digest)

    async def _record(
        self,
        onboarding: Onboarding,
        message: Message,
        ts: str | None,
        *,
        digest: str | None = None,
        posting_since: datetime | None = None,
    ) -> None:
        async with self._database.begin() as session:
            await publishing.record_message(
                session,
                onboarding.id,
                message.slot,
                ts=ts,
                digest=digest,
                posting_since=posting_since,
            )
            if ts and message.slot == ROOT:
                await publishing.record_thread(session, onboarding.id, ts)


async def _all(*work: Awaitable[None]) -> None:
    """Do all of it at the same time; then raise the most telling of the errors."""
    errors = [one for one in await asyncio.gather(*work, return_exceptions=True) if one]
    raise_most_telling(errors)


def raise_most_telling(errors: Sequence[BaseException]) -> None:
    """Raise the error that says most about when to try again, if there is any."""
    for kind in (Stale, RateLimited, Unavailable, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error
