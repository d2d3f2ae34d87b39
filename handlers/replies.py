"""What people are told when something is refused, away or broken; the one place for it.

Nothing here logs what came in: a body may hold a secret.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.models.views import View

from bot.core.background import BackgroundTasks
from bot.core.errors import (
    Malformed,
    OnboardingError,
    Refused,
    Repeated,
    Unavailable,
    UnreadableRow,
)
from bot.slack import NotInThread, OpenView, Recipient, Slack, SlackRefused, tell_privately
from bot.use_cases import InvalidInput, NeedsConfirmation, Opening
from bot.use_cases.messages import Reply
from bot.views.blocks import fallback, message, section
from bot.views.home import answer_view
from bot.views.ids import StepRef
from bot.views.replies import refusal_text
from bot.views.status import Answer
from handlers.payloads import AnyPress, HomePress, Press, Said, Shortcut, Submission, WindowPress

log = logging.getLogger(__name__)

# views.open: the trigger lived its three seconds, or was used.
TRIGGER_ERRORS = {
    "expired_trigger_id",
    "exchanged_trigger_id",
    "invalid_trigger_id",
    "trigger_expired",
    "trigger_exchanged",
}

# By then Slack shows what the acknowledgement put in a form's place; sooner, it would come on top.
SETTLED_SECONDS = 0.5


def explain(error: Exception) -> str:
    """Return what a person is told about `error`, and log what they need not know."""
    match error:
        case Refused():
            return refusal_text(error)
        case SlackRefused() if error.code in TRIGGER_ERRORS:
            return "Slack took too long to open the window. Please press the button again."
        case UnreadableRow():  # named in the log
            return (
                "I can't open this setup right now: something in our records needs fixing. Nothing "
                "is lost. Please tell your HeavySet engineer."
            )
        case Unavailable():
            log.warning("a request could not be answered", extra={"reason": str(error)})
            return "I could not do that just now: a service does not answer. Please try again."
        case OnboardingError():
            log.error("a request failed", extra={"reason": str(error)})
        case _:
            log.error("unexpected error", exc_info=error)
    reference = uuid.uuid4().hex[:8]
    log.error("a person was given a reference", extra={"reference": reference})
    return f"Something went wrong on our side. Please tell your HeavySet engineer: {reference}."


class Answers:
    """Private answers, given after the acknowledgement."""

    def __init__(self, slack: Slack, tasks: BackgroundTasks) -> None:
        """Take Slack, and who owns the background tasks."""
        self._slack, self._tasks = slack, tasks

    @asynccontextmanager
    async def to(self, body: dict[str, Any]) -> AsyncIterator[tuple[Press, StepRef]]:
        """Give a press and the step that it is about; errors end here, as in `about`."""
        press = Press.of(body)
        step = StepRef.parse(press.action.value)
        async with self.about(press):
            yield press, step

    @asynccontextmanager
    async def about(self, press: Press | Shortcut) -> AsyncIterator[None]:
        """Tell whoever pressed privately about an error of the block, which ends here.

        Only Malformed leaves it.
        """
        try:
            yield
        except Malformed:
            raise
        except Repeated:
            log.info("a repeated request", extra={"request": press.request.request_key})
        except Exception as error:
            self.tell(press, explain(error))

    @property
    def bot_user_id(self) -> str:
        """Our own user id; Unavailable until Slack has told it."""
        return self._slack.identity.user_id

    def reply(self, said: Said, reply: Reply) -> None:
        """Answer what somebody wrote, privately; where that fails, in the thread."""
        self._tasks.spawn(self._reply(said, reply), "answer in the thread")

    def replace(self, press: Press, answer: Answer) -> None:
        """Put another answer in the place of the private one whose button was pressed."""
        self._tasks.spawn(self._respond(press, answer), "replace a private answer")

    async def _respond(self, press: Press, answer: Answer) -> None:
        to = Recipient(press.channel.id, press.user.id, press.thread_ts, press.response_url)
        await self._privately(to, answer.text, blocks=answer.blocks, replace=True)

    async def _privately(self, to: Recipient, text: str, **how: Any) -> None:
        try:
            await tell_privately(self._slack, to, text, **how)
        except OnboardingError as error:
            log.warning("a private answer was lost", extra={"reason": str(error)})

    async def open_now(self, trigger_id: str, opening: Opening) -> None:
        """Open a modal for whoever typed a command; raises if that does not work."""
        try:
            opened = await self._slack.open_view(trigger_id, opening.view)
        except BaseException:
            if opening.then:
                opening.then.cancel()
            raise
        if opening.then:
            self._tasks.spawn(self._fill(opened, opening.then), "fill in a modal")

    async def _fill(self, opened: OpenView, then: asyncio.Task[View]) -> None:
        """Put what is known by now in the place of what was known at once."""
        await self._replace(opened, await then)

    def open(self, press: Press, view: View) -> None:
        """Open a modal for whoever pressed; the acknowledgement need not wait for it."""
        self._tasks.spawn(self._open(press, view), "open a modal")

    async def _open(self, press: Press, view: View) -> None:
        try:
            await self._slack.open_view(press.trigger_id, view)
        except Exception as error:
            self.tell(press, explain(error))

    async def _replace(self, opened: OpenView, view: View) -> None:
        try:
            await self._slack.update_view(opened.id, view, opened.hash)
        except OnboardingError as error:  # closed already, most likely
            log.info("a modal could not be replaced", extra={"reason": str(error)})

    def work(
        self,
        form: Submission,
        work: Awaitable[tuple[str, Sequence[str]]],
        outcome: Callable[[Sequence[str]], View],
    ) -> None:
        """Do what takes longer than a form may wait, and then say in its place how it went.

        `work` gives the channel that it is about, and what is to be said, line by line. Who has
        closed the form is told privately: there, or where they opened it.
        """
        self._tasks.spawn(self._work(form, work, outcome), "work for a form")

    async def _work(
        self,
        form: Submission,
        work: Awaitable[tuple[str, Sequence[str]]],
        outcome: Callable[[Sequence[str]], View],
    ) -> None:
        loop = asyncio.get_running_loop()
        settled = loop.time() + SETTLED_SECONDS
        try:
            channel, lines = await work
        except Exception as error:
            channel, lines = "", [explain(error)]
        await asyncio.sleep(max(0.0, settled - loop.time()))
        try:
            await self._slack.update_view(form.view.id, outcome(lines))
        except OnboardingError:  # closed already, most likely
            where = channel or form.ref.channel
            await self._privately(Recipient(where, form.user.id), "\n".join(lines))

    @asynccontextmanager
    async def in_a_window(self, press: HomePress) -> AsyncIterator[None]:
        """Tell whoever pressed about an error of the block, in a window, as a Home has no channel.

        Only Malformed leaves it.
        """
        try:
            yield
        except Malformed:
            raise
        except Repeated:
            log.info("a repeated request", extra={"request": press.request.request_key})
        except Exception as error:
            self.open_at_home(press, answer_view(explain(error)))

    def open_at_home(self, press: HomePress, view: View) -> None:
        """Open a window for whoever pressed on the Home."""
        self._tasks.spawn(self._show(press, view), "open a window")

    async def _show(self, press: HomePress | AnyPress, view: View) -> None:
        try:
            await self._slack.open_view(press.trigger_id, view)
        except OnboardingError as error:  # the Home shows what became of it
            log.warning("a window could not be opened", extra={"reason": str(error)})

    def anywhere(self, press: AnyPress, text: str) -> None:
        """Tell whoever pressed something: privately in the channel, behind a modal too; else in a
        window.
        """
        if press.behind:
            to = Recipient(press.behind, press.user.id, press.thread_ts, press.response_url)
            self._tasks.spawn(self._privately(to, text), "answer privately")
        else:
            self._tasks.spawn(self._show(press, answer_view(text)), "open a window")

    @asynccontextmanager
    async def behind(self, press: WindowPress) -> AsyncIterator[None]:
        """Tell whoever pressed in a window about an error of the block, in the channel behind it.

        Only Malformed leaves it.
        """
        try:
            yield
        except Malformed:
            raise
        except Exception as error:
            self.tell_in_thread(press.ref.channel, press.user.id, explain(error), None)

    def turn(self, press: WindowPress, view: View) -> None:
        """Put another page in the place of the one whose button was pressed."""
        opened = OpenView(press.view.id, press.view.hash)
        self._tasks.spawn(self._replace(opened, view), "turn a page")

    def show(self, press: WindowPress, view: View) -> None:
        """Replace the window whose button was pressed, if it is one that we opened ourselves.

        It is known by its external_id: anybody can name the id of a window of their own.
        """
        self._tasks.spawn(self._show_in_window(press, view), "show a credential")

    async def _show_in_window(self, press: WindowPress, view: View) -> None:
        try:
            await self._slack.update_view_by_external_id(
                press.view.external_id, view, press.view.hash
            )
        except OnboardingError as error:  # closed or hidden already, most likely
            log.info("a credential could not be shown", extra={"reason": str(error)})

    def tell(self, press: Press | Shortcut, text: str) -> None:
        """Tell whoever pressed something that only they see."""
        to = Recipient(press.channel.id, press.user.id, press.thread_ts, press.response_url)
        self._tasks.spawn(self._privately(to, text), "answer privately")

    def tell_in_thread(self, channel: str, user_id: str, text: str, thread_ts: str | None) -> None:
        """Tell somebody in a thread something that only they see, after a form."""
        to = Recipient(channel, user_id, thread_ts)
        self._tasks.spawn(self._privately(to, text), "answer privately")

    async def _reply(self, said: Said, reply: Reply) -> None:
        try:
            # In a thread that nobody has begun, a private answer would not show.
            await tell_privately(
                self._slack,
                Recipient(said.channel, said.user, said.thread_ts),
                reply.text,
                blocks=reply.blocks,
            )
        except SlackRefused:
            # No document says that private answers reach people of another organization.
            if reply.blocks:  # a question with buttons is nobody else's business
                return
            await self._reply_in_thread(said, reply)
        except OnboardingError as error:
            log.warning("an answer was lost", extra={"reason": str(error)})

    async def _reply_in_thread(self, said: Said, reply: Reply) -> None:
        answer = message(reply.onboarding_id, f"answer:{said.ts}", [section(reply.text)])
        try:
            await self._slack.post(said.channel, answer, said.thread_ts or said.ts)
        except NotInThread:  # for all to see, as they would in the thread
            log.info("an answer is not in its thread")
        except OnboardingError as error:
            log.warning("an answer was lost", extra={"reason": str(error)})


@asynccontextmanager
async def quietly() -> AsyncIterator[None]:
    """Handle an event that nobody awaits an answer to.

    Only Malformed and Unavailable leave the block: after the latter Slack brings the event again.
    """
    try:
        yield
    except (Malformed, Unavailable):
        raise
    except Repeated:
        log.info("a repeated event")
    except UnreadableRow:  # named in the log, and an event is no reason to do it again
        return
    except OnboardingError as error:
        log.warning("an event was not followed", extra={"reason": str(error)})
    except Exception:
        log.exception("an event failed")


@dataclass
class Closing:
    """What becomes of a form that was taken: it closes, unless a `view` takes its place."""

    view: View | None = None


@asynccontextmanager
async def at_the_form(ack: AsyncAck, submission: Submission) -> AsyncIterator[Closing]:
    """Acknowledge a submission after the block: close the form, or keep it open and say why.

    The acknowledgement comes last, so a form never closes before its values are kept.
    """
    closing = Closing()
    try:
        yield closing
    except Malformed:
        raise
    except Repeated:
        await ack()
    except InvalidInput as error:
        # Slack takes errors only at inputs that the form has.
        errors = {
            block if submission.has_input(block) else submission.first_input: text
            for block, text in error.errors.items()
        }
        await ack(response_action="errors", errors=errors)
    except NeedsConfirmation as error:
        await ack(response_action="update", view=error.view)
    except Unavailable as error:
        log.warning("a form could not be kept", extra={"reason": str(error)})
        text = "Not saved yet: something isn't responding. Please try again in a moment."
        await ack(response_action="errors", errors={submission.first_input: text})
    except Exception as error:
        text = fallback([{"type": "section", "text": {"type": "mrkdwn", "text": explain(error)}}])
        await ack(response_action="errors", errors={submission.first_input: text})
    else:
        if closing.view:
            await ack(response_action="update", view=closing.view)
        else:
            await ack()
