"""Closing the client's questions, and posting engineers' messages in the client's thread."""

from datetime import timedelta
from functools import partial

from bot.core.errors import Refused
from bot.core.mrkdwn import escape, mention
from bot.core.typed_text import as_typed, prose
from bot.onboarding import Onboarding
from bot.onboarding.questions import mark_answered, note, send_reply
from bot.use_cases.services import Request, Services
from bot.use_cases.typed_secrets import secret_in
from bot.use_cases.use_case import Transition, UseCase
from bot.views.blocks import EphemeralReply
from bot.views.conversation import answered_line, send_line
from bot.views.ids import StepRef
from storage import handled_requests, onboardings, throttling

# Somebody who writes several messages in a row is asked once.
ASK_AGAIN_AFTER = timedelta(minutes=10)
LONGEST = 3000


class EngineerReplies(UseCase):
    """For engineers only. In shortcuts, `thread_ts` and `text` are of the message it is used on."""

    async def mark(self, request: Request, ref: StepRef) -> str:
        """Mark a question as answered; return a line that says so."""
        [ts] = ref.fields or [""]
        answered = partial(mark_answered, numbers=[ref.step], ts=ts)
        after = await self._change_as_engineer(request, ref.onboarding_id, answered)
        return _marked(after, ref.step)

    async def ask_whether_answered(
        self, request: Request, onboarding: Onboarding, ts: str
    ) -> EphemeralReply | None:
        """Return what to ask an engineer who wrote in the thread while a question is open.

        `ts` identifies their message.
        """
        if not (await self._services.directory.membership(request.person)).engineer:
            return None
        numbers = ",".join(str(one.number) for one in onboarding.open_questions)
        what = f"answered:{onboarding.id}:{request.person.user_id}:{numbers}"
        return None if await asked_lately(self._services, what) else answered_line(onboarding, ts)

    async def offer_to_send(
        self, request: Request, thread_ts: str, ts: str
    ) -> EphemeralReply | None:
        """Return what to offer an engineer who replied to a question in the engineering channel."""
        services = self._services
        onboarding = await services.read(onboardings.of_announcements, thread_ts)
        if onboarding is None or not onboarding.open_questions:
            return None
        if not (await services.directory.membership(request.person)).engineer:
            return None
        async with services.database.begin() as session:
            key = request.part("offer").request_key
            await handled_requests.claim(session, key, services.clock())
        return send_line(onboarding, ts)

    async def send_offered(self, request: Request, ref: StepRef, thread_ts: str | None) -> str:
        """Post the offered reply in the client's thread; return a line that says so."""
        [ts] = ref.fields or [""]
        written = await self._services.slack.message_at(request.channel, ts, thread_ts)
        if written is None:
            raise Refused("I can't find that message anymore.")
        onboarding = await self._get(ref.onboarding_id)
        return await self._send(request, onboarding, written.text)

    async def send(self, request: Request, thread_ts: str, text: str) -> str:
        """Post a message in the client's thread, in the name of the person using the shortcut."""
        return await self._send(request, await self._meant(request, thread_ts), text)

    async def mark_question(self, request: Request, thread_ts: str, text: str) -> str:
        """Mark the question that a message asks as answered, or else the newest."""
        onboarding = await self._meant(request, thread_ts)
        waiting = onboarding.open_questions
        if not waiting:
            raise Refused("There's no open question here.")
        text = prose(as_typed(text))
        asked = [one for one in waiting if one.text in text or text in one.text]
        number = (asked or waiting)[-1].number
        answered = partial(mark_answered, numbers=[number])
        after = await self._change_as_engineer(request, onboarding.id, answered)
        return _marked(after, number)

    async def note(self, request: Request, thread_ts: str, text: str) -> str:
        onboarding = await self._meant(request, thread_ts)
        await self._keep(request, onboarding, text, note)
        return f"Added to *{escape(onboarding.client_name)}*'s history."

    async def _send(self, request: Request, onboarding: Onboarding, text: str) -> str:
        after = await self._keep(request, onboarding, text, send_reply)
        sent = f"Sent to *{escape(onboarding.client_name)}*'s thread."
        if left := len(after.open_questions):
            return f"{sent} {left} question{'s are' if left > 1 else ' is'} still open."
        return sent

    async def _keep(
        self, request: Request, onboarding: Onboarding, text: str, transition: Transition
    ) -> Onboarding:
        await self._engineer(request.person)
        said = prose(as_typed(text))[:LONGEST]
        if not said:
            raise Refused("There are no words in that message.")
        if label := await secret_in(self._services, said, onboarding):
            raise Refused(f"That message has the {label} in it, so I left it where it is.")
        kept = partial(transition, text=said)
        return await self._change_as_engineer(request, onboarding.id, kept)

    async def _meant(self, request: Request, thread_ts: str) -> Onboarding:
        """Return the onboarding that a thread is about; raises Refused if there is none."""
        await self._engineer(request.person)
        services, channel = self._services, request.channel
        if channel == services.engineering_channel:
            found = await services.read(onboardings.of_announcements, thread_ts)
        else:
            found = await services.read(onboardings.of_thread, channel, thread_ts)
            if found is None and len(running := await self._running_in(channel)) == 1:
                found = running[0]
        if found is None:
            raise Refused("That message isn't in a client's thread.")
        return found


async def asked_lately(services: Services, what: str) -> bool:
    """Whether someone was asked `what` a moment ago; if not, record that they are now."""
    async with services.database.begin() as session:
        asked = await throttling.count(session, what, 1, services.clock(), ASK_AGAIN_AFTER)
    return asked > 1


def _marked(onboarding: Onboarding, number: int) -> str:
    question = next((one for one in onboarding.questions if one.number == number), None)
    whose = f"{mention(question.by.user_id)}'s question" if question else "The question"
    return f"✅ Marked as answered: {whose} ({escape(onboarding.client_name)})."
