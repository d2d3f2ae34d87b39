"""Private replies, sent after the acknowledgement: messages that only one person sees, and windows.

Nothing here logs what was received: a body may contain a secret.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError
from bot.slack import NotInThread, OpenView, Recipient, Slack, SlackRefused, tell_privately
from bot.use_cases import Opening
from bot.views.blocks import EphemeralReply, fallback, message, section
from bot.views.forms import View
from bot.views.home import answer_view
from handlers.error_replies import explain
from handlers.events import ThreadMessage
from handlers.forms import Submission
from handlers.payloads import AnyPress, WindowPress

log = logging.getLogger(__name__)

# What a press leads to: a text or a window for the person who pressed, or another private reply
# instead of the one whose button was pressed; None if the thread shows it.
Outcome = str | View | EphemeralReply | None

# By then, Slack shows the view from the acknowledgement, which would replace an earlier update.
SETTLED_SECONDS = 0.5


class Replies:
    def __init__(self, slack: Slack, tasks: BackgroundTasks) -> None:
        self._slack, self._tasks = slack, tasks

    @property
    def bot_user_id(self) -> str:
        """Our own user id; raises Unavailable until Slack has provided it."""
        return self._slack.identity.user_id

    # --- presses ---

    def show(self, press: AnyPress, outcome: Outcome) -> None:
        """Show someone the outcome of their press; the acknowledgement does not wait for it."""
        self._tasks.spawn(self._show(press, outcome), "show the outcome of a press")

    async def _show(self, press: AnyPress, outcome: Outcome) -> None:
        to = Recipient(press.where, press.user.id, press.thread_ts, press.response_url)
        match outcome:
            case list():
                await self._privately(to, fallback(outcome), blocks=outcome, replace=True)
            case dict() if isinstance(press, WindowPress):
                await self._update(press, outcome)
            case dict():
                await self._open(press, outcome)
            case str() if to.channel:  # in the channel, also behind a modal
                await self._privately(to, outcome)
            case str():
                await self._open(press, answer_view(outcome))

    async def _open(self, press: AnyPress, view: View) -> None:
        try:
            await self._slack.open_view(press.trigger_id, view)
        except Exception as error:
            if press.where:
                await self._show(press, explain(error))
            else:  # the Home shows the outcome
                log.warning("a window could not be opened", extra={"reason": str(error)})

    async def _update(self, press: WindowPress, view: View) -> None:
        """Replace the window with the pressed button, unless it has changed since.

        A view with an external_id goes only to the window that we opened with it: the id in a press
        could be that of somebody else's window.
        """
        opened = press.view
        try:
            await self._slack.update_view(
                view, opened.hash, view_id=opened.id, external_id=view.get("external_id")
            )
        except OnboardingError as error:  # most likely it is closed
            log.info("a window could not be updated", extra={"reason": str(error)})

    # --- commands and forms ---

    async def open_now(self, trigger_id: str, opening: Opening) -> None:
        """Open a window for the person who typed a command; raises if that fails."""
        try:
            opened = await self._slack.open_view(trigger_id, opening.view)
        except BaseException:
            if opening.then:
                opening.then.cancel()
            raise
        if opening.then:
            self._tasks.spawn(self._fill(opened, opening.then), "fill in a window")

    async def _fill(self, opened: OpenView, then: asyncio.Task[View]) -> None:
        try:
            await self._slack.update_view(await then, opened.hash, view_id=opened.id)
        except OnboardingError as error:  # most likely it is closed
            log.info("a window could not be filled in", extra={"reason": str(error)})

    def work(
        self,
        form: Submission,
        work: Awaitable[tuple[str, Sequence[str]]],
        outcome: Callable[[Sequence[str]], View],
    ) -> None:
        """Do work that takes longer than a form can wait, then show the outcome in its place.

        `work` returns the channel that it is about, and the outcome line by line. People who have
        closed the form get it privately: in that channel, or where they opened the form.
        """

        async def finish() -> None:
            loop = asyncio.get_running_loop()
            settled = loop.time() + SETTLED_SECONDS
            try:
                channel, lines = await work
            except Exception as error:
                channel, lines = "", [explain(error)]
            await asyncio.sleep(max(0.0, settled - loop.time()))
            try:
                await self._slack.update_view(outcome(lines), view_id=form.view.id)
            except OnboardingError:  # most likely it is closed
                to = Recipient(channel or form.ref.channel, form.user.id)
                await self._privately(to, "\n".join(lines))

        self._tasks.spawn(finish(), "work for a form")

    def tell(self, to: Recipient, text: str) -> None:
        """Tell somebody something privately, after a form."""
        self._tasks.spawn(self._privately(to, text), "reply privately")

    async def _privately(self, to: Recipient, text: str, **how: Any) -> None:
        try:
            await tell_privately(self._slack, to, text, **how)
        except OnboardingError as error:
            log.warning("a private answer was lost", extra={"reason": str(error)})

    # --- messages ---

    def reply(self, written: ThreadMessage, reply: str | EphemeralReply) -> None:
        """Reply to a message, privately; if that fails, a text goes to the thread."""
        self._tasks.spawn(self._reply(written, reply), "reply in the thread")

    async def _reply(self, written: ThreadMessage, reply: str | EphemeralReply) -> None:
        # In a thread without replies, Slack would not show a private message.
        to = Recipient(written.channel, written.user, written.thread_ts)
        text = reply if isinstance(reply, str) else fallback(reply)
        blocks = [] if isinstance(reply, str) else reply
        try:
            try:
                await tell_privately(self._slack, to, text, blocks=blocks)
            except SlackRefused:
                # Slack does not document that private messages reach people in other organizations.
                if isinstance(reply, str):  # otherwise it is a question, for this person only
                    answer = message("", f"answer:{written.ts}", [section(text)])
                    await self._slack.post(written.channel, answer, written.thread_ts or written.ts)
        except NotInThread:  # everyone sees it, as in the thread
            log.info("an answer was posted outside its thread")
        except OnboardingError as error:
            log.warning("an answer was lost", extra={"reason": str(error)})
