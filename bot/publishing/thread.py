"""Brings a thread level: what the state says it should hold, against what was posted.

A message is posted once. Before the post, its slot is claimed in the database; if the answer is
lost, the message is looked for by its metadata before anything is posted again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.errors import OnboardingError, Stale, Unavailable
from bot.onboarding import Onboarding, Status, StepState
from bot.slack import NO_THREAD, NotInThread, NotNow, RateLimited, Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.deletion import deletion_message
from bot.views.ending import ended_message
from bot.views.guide_answer import answer_message
from bot.views.posted_secret import posted_secret_message
from bot.views.reminder import reminder_message, stands
from bot.views.reminder import slot as reminder_slot
from bot.views.report import verification_message
from bot.views.root import ROOT, root_message, welcome_message
from bot.views.step import slot as step_slot
from bot.views.step import step_message
from storage.publishing import LEFTOVER, Announceable, Posted

log = logging.getLogger(__name__)

# Refusals of an edit that no repetition changes: the message stays as it is.
FIXED = {"message_not_found", "cant_update_message", "edit_window_closed"}


class ThreadGone(OnboardingError):
    """The first message of a thread was deleted."""


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
    for posted_secret in onboarding.posted_secrets:
        yield posted_secret_message(onboarding, posted_secret)
    for deletion in onboarding.deletions:
        yield deletion_message(onboarding, deletion)
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


@dataclass
class Work:
    """What Slack does not show yet of one state of an onboarding, and how far we are with it.

    `known` are the slots that are written down; `news` is what was learned since then, by slot. A
    post is claimed by that, and only made when it is written down.
    """

    onboarding: Onboarding
    known: set[str]
    timestamps: dict[str, str]
    edits: Sequence[tuple[Message, str]] = ()
    posts: Sequence[tuple[Message, datetime | None]] = ()
    leftovers: Sequence[tuple[str, str]] = ()
    outbox: Sequence[Announceable] = ()
    refused_since: datetime | None = None
    news: dict[str, Posted] = field(default_factory=dict)

    def note(
        self,
        slot: str,
        ts: str | None = None,
        *,
        digest: str | None = None,
        posting_since: datetime | None = None,
    ) -> None:
        """Take note of a message."""
        self.news[slot] = Posted(slot, ts, digest, posting_since)
        if ts:
            self.timestamps[slot] = ts

    @contextmanager
    def writing(self) -> Iterator[Mapping[str, Posted]]:
        """Give the news, to be written down in the block; afterwards they are known."""
        news, self.news = self.news, {}
        try:
            yield news
        except BaseException:
            self.news = news | self.news
            raise
        self.known.update(news)


class Thread:
    """Posts and updates the messages of threads."""

    def __init__(self, slack: Slack, clock: Callable[[], datetime]) -> None:
        """Take Slack, and the time."""
        self._slack, self._clock = slack, clock

    def plan(
        self,
        onboarding: Onboarding,
        posted: Mapping[str, Posted],
        look_since: datetime | None = None,
    ) -> Work:
        """Return what is to be posted, in order, and to be edited, with its first claims.

        From `look_since` on, messages may stand in Slack that `posted` does not know. Nothing can
        be done in a channel that is lost.
        """
        timestamps = {slot: one.ts for slot, one in posted.items() if one.ts}
        leftovers = [one for one in timestamps.items() if one[0].startswith(LEFTOVER)]
        if onboarding.loss and onboarding.loss.silent:
            return Work(onboarding, set(posted), timestamps)
        edits: list[tuple[Message, str]] = []
        posts: list[tuple[Message, datetime | None]] = []
        for message in desired(onboarding, posted):
            known = posted.get(message.slot)
            if known is None or known.ts is None:
                # A post whose answer was lost, or that a restored backup does not know.
                posts.append((message, known.posting_since if known else look_since))
            elif known.digest != message.digest:
                edits.append((message, known.ts))
        work = Work(onboarding, set(posted), timestamps, edits, posts, leftovers)
        for message, ts in edits:
            # If an answer is lost, nobody knows what the message says: the next state may be one
            # in which it says again what we know last.
            work.note(message.slot, ts)
        for message, earlier in posts[:1]:
            work.note(message.slot, posting_since=earlier or self._clock())
        return work

    async def level(self, work: Work, write_down: Callable[[], Awaitable[None]]) -> None:
        """Post what is missing, one after the other, and edit what differs, at the same time.

        What is left of an earlier thread is deleted afterwards. Raises ThreadGone if the first
        message of this one was deleted. `write_down` keeps the news. What fails does not keep the
        rest from being done; the first error is raised at the end.
        """
        edits = (self._edit(work, message, ts) for message, ts in work.edits)
        await _all(self._post_all(work, write_down), *edits)
        for slot, ts in work.leftovers:
            await self._clear_away(work, slot, ts)

    async def _clear_away(self, work: Work, slot: str, ts: str) -> None:
        """Delete what is left of a thread that is gone: nobody should press its buttons."""
        try:
            await self._slack.delete(work.onboarding.channel, ts)
        except SlackRefused as error:
            extra = {"onboarding": work.onboarding.id, "code": error.code}
            log.warning("a message of an earlier thread stays", extra=extra)
        work.note(slot)

    async def _post_all(self, work: Work, write_down: Callable[[], Awaitable[None]]) -> None:
        for number, (message, earlier) in enumerate(work.posts):
            if number:  # the first is claimed with the plan
                work.note(message.slot, posting_since=earlier or self._clock())
                await write_down()
            await self._post(work, message, earlier)

    async def _post(self, work: Work, message: Message, earlier: datetime | None) -> None:
        thread_ts = None if message.slot == ROOT else work.timestamps[ROOT]
        channel = work.onboarding.channel
        if earlier:
            ts = await self._found(work, message, earlier, thread_ts)
            if ts:  # what stands there may be older than what should
                work.note(message.slot, ts)
                await self._edit(work, message, ts)
                return
        try:
            ts = await self._slack.post(channel, message, thread_ts)
        except (NotNow, SlackRefused) as error:  # this one was certainly not posted
            work.note(message.slot, posting_since=earlier)
            await self._must_have_a_thread(work, error)
            raise
        except NotInThread as stray:
            ts, leftover = stray.ts, f"{LEFTOVER}{stray.ts}"
            work.note(leftover, ts)
            work.note(message.slot)
            try:
                await self._must_have_a_thread(work, stray)
            except ThreadGone:
                await self._clear_away(work, leftover, ts)
                raise
            work.note(leftover)  # the thread is there, so that is its place
        work.note(message.slot, ts, digest=message.digest)

    async def _must_have_a_thread(self, work: Work, error: Exception) -> None:
        """Raise ThreadGone if `error` comes from that: an edit of the first message tells."""
        is_doubtful = isinstance(error, NotInThread) or getattr(error, "code", "") in NO_THREAD
        if is_doubtful and (ts := work.timestamps.get(ROOT)):
            await self._edit(work, root_message(work.onboarding), ts)

    async def _found(
        self, work: Work, message: Message, since: datetime, thread_ts: str | None
    ) -> str | None:
        channel = work.onboarding.channel
        try:
            return await self._slack.find(channel, message, since, thread_ts)
        except SlackRefused as error:
            if error.code in NO_THREAD and (ts := await self._slack.find(channel, message, since)):
                work.note(f"{LEFTOVER}{ts}", ts)
            # Whether bots may read threads is not documented without contradiction. A message
            # twice is better than a step that never appears.
            log.warning("cannot look for a lost message", extra={"code": error.code})
            return None

    async def _edit(self, work: Work, message: Message, ts: str) -> None:
        try:
            await self._slack.update(work.onboarding.channel, ts, message)
        except SlackRefused as error:
            if error.code == "message_not_found" and message.slot == ROOT:
                raise ThreadGone from None
            if error.code not in FIXED:
                raise
            extra = {"onboarding": work.onboarding.id, "slot": message.slot, "code": error.code}
            log.warning("a message cannot be edited any more", extra=extra)
            if error.code == "message_not_found" and message.has_buttons:
                work.note(message.slot)  # deleted: people need it again
                raise Unavailable("a message was deleted") from None
        work.note(message.slot, ts, digest=message.digest)


async def _all(*work: Awaitable[None]) -> None:
    """Do all of it at the same time; then raise the most telling of the errors."""
    errors = [one for one in await asyncio.gather(*work, return_exceptions=True) if one]
    raise_most_telling(errors)


def raise_most_telling(errors: Sequence[BaseException]) -> None:
    """Raise the error that says most about when to try again, if there is any."""
    for kind in (Stale, ThreadGone, RateLimited, Unavailable, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error
