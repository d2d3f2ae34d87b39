"""Updates a thread in Slack: compares what it should have with what was posted.

A message is posted once. Before the post, its slot is claimed in the database; if the response is
lost, the message is looked for by its metadata before anything is posted again.

Posts go first. An edit that changes little (`Message.can_wait`) waits until the thread is at rest.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from bot.core.errors import OnboardingError, Stale, Unavailable
from bot.onboarding import Loss, Onboarding, Status
from bot.publishing.desired import desired, link_to_step
from bot.publishing.leisure import rests_at
from bot.publishing.pictures import REFUSED_PICTURE, Pictures
from bot.slack import NO_THREAD, NotInThread, NotNow, RateLimited, Slack, SlackRefused
from bot.slack.rate_limits import AWAITED, HARMLESS, LEISURELY
from bot.views.blocks import Message
from bot.views.root import ROOT, root_message
from bot.views.step import slot as step_slot
from storage.outbox import Announceable
from storage.posted_messages import LEFTOVER, Posted

log = logging.getLogger(__name__)

Sent = TypeVar("Sent")

# Errors of an edit that will not go away: the message stays as it is.
NOT_EDITABLE = {"message_not_found", "cant_update_message", "edit_window_closed"}
# Concurrent edits: a crash or a broken connection affects no more than these.
EDITS_AT_ONCE = 8


class ThreadGone(OnboardingError):
    """The first message of a thread was deleted."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A message to edit, the digest of what it shows, and what the edit may use of the limit."""

    message: Message
    ts: str
    shown: str | None = None
    share: float = AWAITED


@dataclass
class ThreadUpdate:
    """What Slack doesn't show yet of one revision of an onboarding, and the progress so far.

    `stored` are the slots that have rows; `unsaved` is what was learned since, by slot. An unsaved
    entry claims a post, which is made only once that entry is saved. Until `rests_at`, edits that
    can wait are `put_off`.
    """

    onboarding: Onboarding
    stored: set[str]
    timestamps: dict[str, str]
    rests_at: datetime | None = None
    put_off: bool = False
    edits: list[Edit] = field(default_factory=list)
    posts: list[tuple[Message, datetime | None]] = field(default_factory=list)
    leftovers: Sequence[tuple[str, str]] = ()
    outbox: Sequence[Announceable] = ()
    refused_since: datetime | None = None
    root_digest: str | None = None
    unsaved: dict[str, Posted] = field(default_factory=dict)

    def note(
        self,
        slot: str,
        ts: str | None = None,
        *,
        digest: str | None = None,
        posting_since: datetime | None = None,
    ) -> None:
        """Note what is now known about a message."""
        self.unsaved[slot] = Posted(slot, ts, digest, posting_since)
        if ts:
            self.timestamps[slot] = ts

    def postpones(self, message: Message, shown: str | None) -> bool:
        """Whether the edit of a message with the digest `shown` is put off; note that it is."""
        put_off = self.rests_at is not None and message.can_wait(shown)
        self.put_off |= put_off
        return put_off

    def leave(self, edits: Iterable[Edit]) -> None:
        """Note that these edits were definitely not made."""
        for edit in edits:
            self.note(edit.message.slot, edit.ts, digest=edit.shown)

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be posted, as the channel was lost."""
        return self.onboarding.loss not in (None, Loss.UNSHARED)

    @contextmanager
    def saving(self) -> Iterator[Mapping[str, Posted]]:
        """Yield what is unsaved; it counts as stored if the block saves it without an error."""
        unsaved, self.unsaved = self.unsaved, {}
        try:
            yield unsaved
        except BaseException:
            self.unsaved = unsaved | self.unsaved
            raise
        self.stored.update(unsaved)


class Thread:
    def __init__(self, slack: Slack, pictures: Pictures, clock: Callable[[], datetime]) -> None:
        self._slack, self._pictures, self._clock = slack, pictures, clock

    def plan(
        self,
        onboarding: Onboarding,
        posted: Mapping[str, Posted],
        look_since: datetime | None = None,
    ) -> ThreadUpdate:
        """Return what to post, in order, and what to edit, with the first claims.

        Since `look_since`, there may be messages in Slack that `posted` lacks. In a channel that
        was lost, nothing can be done.
        """
        timestamps = {slot: one.ts for slot, one in posted.items() if one.ts}
        update = ThreadUpdate(onboarding, set(posted), timestamps)
        if update.is_lost:
            return update
        if (rest := rests_at(onboarding)) > self._clock():
            update.rests_at = rest
        update.leftovers = [one for one in timestamps.items() if one[0].startswith(LEFTOVER)]
        url = self._slack.identity.url
        for message in desired(onboarding, posted, url, self._pictures.of):
            known = posted.get(message.slot)
            if known is None or known.ts is None:
                # A post whose response was lost, or that a restored backup doesn't have.
                update.posts.append((message, known.posting_since if known else look_since))
                continue
            if message.slot == ROOT:
                update.root_digest = known.digest
            if known.digest == message.digest or update.postpones(message, known.digest):
                continue
            # Forget the digest: if the response is lost, it isn't known what the message says.
            update.note(message.slot, known.ts)
            if message.slot != ROOT:  # that is edited last, as it links to a step
                update.edits.append(_edit(onboarding, message, known.ts, known.digest))
        # What people need first; then the newest, as they look at the thread's end.
        update.edits.reverse()
        update.edits.sort(key=lambda edit: edit.share, reverse=True)
        for message, earlier in update.posts[:1]:
            update.note(message.slot, posting_since=earlier or self._clock())
        return update

    async def apply(self, update: ThreadUpdate, save: Callable[[], Awaitable[None]]) -> None:
        """Post what is missing, one by one, and edit what differs, a few messages at a time.

        The root is edited last, as it links to the current step: that may still have to be
        posted. Then leftovers of an earlier thread are deleted. `save` saves what is unsaved, also
        after every few edits. A refusal doesn't stop the rest; the most informative error is raised
        at the end, ThreadGone if the first message was deleted.
        """
        errors = await _errors([self._post_all(update, save), *self._edits(update, 0)])
        for start in range(EDITS_AT_ONCE, len(update.edits), EDITS_AT_ONCE):
            if any(not isinstance(error, SlackRefused) for error in errors):
                update.leave(update.edits[start:])
                break
            await save()
            errors += await _errors(self._edits(update, start))
        if not any(isinstance(error, (Stale, ThreadGone)) for error in errors):
            is_posted = all(message.slot in update.timestamps for message, _ in update.posts)
            if is_posted or not any(isinstance(error, Unavailable) for error in errors):
                errors += await _errors([self._edit_root(update)])
            elif ts := update.timestamps.get(ROOT):
                update.note(ROOT, ts, digest=update.root_digest)  # it says what it said before
        raise_most_telling(errors)
        for slot, ts in update.leftovers:
            await self._delete(update, slot, ts)

    def _edits(self, update: ThreadUpdate, start: int) -> Iterator[Awaitable[None]]:
        for edit in update.edits[start : start + EDITS_AT_ONCE]:
            yield self._edit(update, edit)

    async def _delete(self, update: ThreadUpdate, slot: str, ts: str) -> None:
        """Delete a message of an earlier thread, so that nobody presses its buttons."""
        try:
            await self._slack.delete(update.onboarding.channel, ts)
        except SlackRefused as error:
            extra = {"onboarding": update.onboarding.id, "code": error.code}
            log.warning("cannot delete a message of an earlier thread", extra=extra)
        update.note(slot)

    async def _edit_root(self, update: ThreadUpdate) -> None:
        root, shown = self._root(update), update.root_digest
        ts = update.timestamps.get(ROOT)
        if not ts or update.is_lost or root.digest == shown or update.postpones(root, shown):
            return
        await self._edit(update, _edit(update.onboarding, root, ts, shown))

    def _root(self, update: ThreadUpdate) -> Message:
        """Return the root as it should be, with a link to the current step if that is posted."""
        onboarding, step = update.onboarding, update.onboarding.current
        number = step.number if step else None
        url = self._slack.identity.url
        return root_message(onboarding, link_to_step(onboarding, number, update.timestamps, url))

    async def _post_all(self, update: ThreadUpdate, save: Callable[[], Awaitable[None]]) -> None:
        for number, (message, earlier) in enumerate(update.posts):
            if number:  # the first is claimed with the plan
                update.note(message.slot, posting_since=earlier or self._clock())
                await save()
            await self._post(update, message, earlier)

    async def _post(self, update: ThreadUpdate, message: Message, earlier: datetime | None) -> None:
        thread_ts = None if message.slot == ROOT else update.timestamps[ROOT]
        ts = await self._find(update, message, earlier, thread_ts) if earlier else None
        if ts:
            update.note(message.slot, ts)
            await self._edit(update, Edit(message, ts))  # it may show an older state
            return
        try:
            ts = await self._send(
                message, lambda one: self._slack.post(update.onboarding.channel, one, thread_ts)
            )
        except (NotNow, SlackRefused) as error:  # it is certain that it wasn't posted
            update.note(message.slot, posting_since=earlier)
            if isinstance(error, SlackRefused) and error.code in NO_THREAD:
                await self._check_thread(update)
            raise
        except NotInThread as error:
            ts, leftover = error.ts, f"{LEFTOVER}{error.ts}"
            update.note(leftover, ts)
            update.note(message.slot)
            try:
                await self._check_thread(update)
            except ThreadGone:
                await self._delete(update, leftover, ts)
                raise
            update.note(leftover)  # the thread exists, so it was posted in it after all
        update.note(message.slot, ts, digest=message.digest)
        if message.slot == ROOT:
            update.root_digest = message.digest

    async def _check_thread(self, update: ThreadUpdate) -> None:
        """Find out whether the thread is gone, by editing its first message."""
        if ts := update.timestamps.get(ROOT):
            await self._edit(update, Edit(self._root(update), ts))

    async def _find(
        self, update: ThreadUpdate, message: Message, since: datetime, thread_ts: str | None
    ) -> str | None:
        channel = update.onboarding.channel
        try:
            return await self._slack.find(channel, message, since, thread_ts)
        except SlackRefused as error:
            if error.code in NO_THREAD and (ts := await self._slack.find(channel, message, since)):
                update.note(f"{LEFTOVER}{ts}", ts)
            # Slack's docs contradict themselves on whether bots may read threads. A message posted
            # twice is better than a step that never appears.
            log.warning("cannot look for a lost message", extra={"code": error.code})
            return None

    async def _send(self, message: Message, send: Callable[[Message], Awaitable[Sent]]) -> Sent:
        """Send a message; if Slack refuses it because of its pictures, send it without them."""
        try:
            return await send(message)
        except SlackRefused as error:
            if message.in_words is None or error.code not in REFUSED_PICTURE:
                raise
            sent = await send(message.in_words)
            self._pictures.refused(message, error.code)
            return sent

    async def _edit(self, update: ThreadUpdate, edit: Edit) -> None:
        message, ts, channel = edit.message, edit.ts, update.onboarding.channel
        try:
            await self._send(message, lambda one: self._slack.update(channel, ts, one, edit.share))
        except NotNow:
            update.leave([edit])
            raise
        except SlackRefused as error:
            is_deleted = error.code == "message_not_found"
            if is_deleted and message.slot == ROOT:
                raise ThreadGone from None
            if error.code not in NOT_EDITABLE:
                raise
            onboarding_id = update.onboarding.id
            extra = {"onboarding": onboarding_id, "slot": message.slot, "code": error.code}
            log.warning("cannot edit a message", extra=extra)
            if is_deleted and message.has_buttons:
                update.note(message.slot)  # people need it: post it again
                raise Unavailable("a message was deleted") from None
        update.note(message.slot, ts, digest=message.digest)


def _edit(onboarding: Onboarding, message: Message, ts: str, shown: str | None) -> Edit:
    """Return an edit; the more people need it, the more of the rate limit it may use."""
    current = step_slot(onboarding.current.number) if onboarding.current else ""
    share = AWAITED
    if message.can_wait(shown) or (message.slot == ROOT and onboarding.status is Status.ACTIVE):
        share = LEISURELY
    elif message.slot.startswith("step:") and message.slot != current:
        share = HARMLESS
    return Edit(message, ts, shown, share)


async def _errors(work: Iterable[Awaitable[None]]) -> list[BaseException]:
    """Do all of it concurrently; return the errors."""
    return [error for error in await asyncio.gather(*work, return_exceptions=True) if error]


def raise_most_telling(errors: Sequence[BaseException]) -> None:
    """Raise the error that says most about when to try again, if there is any."""
    errors = sorted(errors, key=lambda error: getattr(error, "seconds", 0.0))  # the soonest first
    for kind in (Stale, ThreadGone, Unavailable, RateLimited, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error
