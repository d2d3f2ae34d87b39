"""What people type in the thread: words such as `done`, questions, and trouble."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.core.errors import Refused, Repeated
from bot.core.typed_text import as_typed
from bot.guide import Owner
from bot.guide.answers import Intent, Meaning, understand
from bot.onboarding import Onboarding
from bot.onboarding.people import Actor, Role
from bot.onboarding.permissions import Permission
from bot.use_cases.client_questions import ClientQuestions
from bot.use_cases.engineer_replies import EngineerReplies, asked_lately
from bot.use_cases.services import Request, Services
from bot.use_cases.steps import Steps
from bot.use_cases.use_case import UseCase
from bot.views.conversation import near_line
from bot.views.ephemeral import EphemeralReply, plain_answer
from bot.views.ids import StepRef
from bot.views.reply_texts import help_text, refusal_text, status_text, words_text
from storage import onboardings

# These are meant for the bot, no matter who types them.
STEERING = {Meaning.DONE, Meaning.UNDO, Meaning.CHOOSE, Meaning.STATUS, Meaning.HELP}


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to the author; `onboarding_id` is empty if there is no onboarding."""

    onboarding_id: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class _Message:
    """A message in a thread, or anywhere in the channel if we were `mentioned`."""

    request: Request
    thread_ts: str | None
    ts: str
    text: str
    mentioned: bool

    @property
    def ts_in_thread(self) -> str:
        return self.ts if self.thread_ts else ""


class Messages(UseCase):
    """Does what people type. Most commands need no reply: the thread shows the change."""

    def __init__(
        self, services: Services, steps: Steps, questions: ClientQuestions, replies: EngineerReplies
    ) -> None:
        super().__init__(services)
        self._steps, self._questions, self._replies = steps, questions, replies

    async def say(
        self, request: Request, thread_ts: str | None, ts: str, text: str, *, mentioned: bool
    ) -> Reply | None:
        """Do what `text` says in a thread, or anywhere in the channel if we were `mentioned`.

        `ts` identifies the message. Returns None if there is nothing to say, such as when people
        just talk. An engineer's words count only with a mention: they also talk with the client.
        """
        if request.channel == self._services.engineering_channel and thread_ts:
            offer = await self._replies.offer_to_send(request, thread_ts, ts)
            return Reply(offer[0].id, offer[1].text, offer[1].blocks) if offer else None
        onboarding = await self._find(request.channel, thread_ts)
        if onboarding is None:
            return Reply("", NOTHING_HERE) if mentioned else None
        reply = await self._reply(_Message(request, thread_ts, ts, text, mentioned), onboarding)
        if thread_ts:
            await self._hear(request, onboarding.id, text)
        return reply

    async def _reply(self, message: _Message, onboarding: Onboarding) -> Reply | None:
        if onboarding.open_questions and message.thread_ts and not message.mentioned:
            asked = await self._replies.ask_whether_answered(
                message.request, onboarding, message.ts
            )
            if asked:
                return Reply(onboarding.id, asked.text, asked.blocks)
        return await self._act_on(message, onboarding)

    async def _hear(self, request: Request, onboarding_id: str, text: str) -> None:
        """Record that a side wrote, so that it isn't treated as inactive."""
        services, person = self._services, request.person
        onboarding = await self._get(onboarding_id)
        role = await services.directory.role_in(onboarding, person)
        if role not in (Role.CLIENT_ADMIN, Role.ENGINEER):
            return
        actor = Actor(person.user_id, person.team_id, role)
        hear = partial(services.follow_ups.hear, text=text, actor=actor)
        heard = replace(request, request_key=f"{request.request_key}:heard")
        with suppress(Refused, Repeated):  # nothing to record, or an edit
            hear(onboarding, now=services.clock())  # raises for most messages
            await self._change(heard, onboarding_id, hear)

    async def _act_on(self, message: _Message, onboarding: Onboarding) -> Reply | None:
        mentioned = message.mentioned
        intent = understand(onboarding.guide, message.text, onboarding.current, mentioned=mentioned)
        if intent.meaning is Meaning.NOTHING and not mentioned:
            return None
        role = await self._services.directory.role_in(onboarding, message.request.person)
        is_command = intent.meaning in STEERING or intent.by_command
        is_talk = role is Role.ENGINEER or not is_command
        if role is not Role.CLIENT_ADMIN and not mentioned and is_talk:
            return None
        if intent.meaning is Meaning.NEAR and role is Role.CLIENT_ADMIN:
            line = await self._near(message, onboarding)
            if line or not mentioned:
                return line
        try:
            answer = await self._do(message, onboarding, intent, role)
        except Refused as refusal:
            answer = refusal_text(refusal)
        if answer is ANSWERED:
            answer = None if message.thread_ts else "I answered in the thread."
        return Reply(onboarding.id, answer) if answer else None

    async def _do(
        self, message: _Message, onboarding: Onboarding, intent: Intent, role: Role
    ) -> str | None:
        request = message.request
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        match intent.meaning:
            case Meaning.DONE:
                await self._steps.finish(request, _current(onboarding))
                return await self._then(message, onboarding, intent.words, role)
            case Meaning.UNDO:
                await self._steps.undo(request, _last_done(onboarding))
                return None
            case Meaning.CHOOSE:
                await self._steps.choose(request, _current(onboarding), intent.words)
                return None
            case Meaning.STATUS:
                return status_text(onboarding, for_client=role is Role.CLIENT_ADMIN)
            case Meaning.HELP:
                return help_text(onboarding)
            case Meaning.QUESTION | Meaning.TROUBLE:
                trouble = intent.meaning is Meaning.TROUBLE
                return await self._answer(message, onboarding, intent.words, role, trouble=trouble)
        return words_text(onboarding)

    async def _then(
        self, message: _Message, onboarding: Onboarding, question: str, role: Role
    ) -> str | None:
        """Answer what followed “done”, at the step that is next."""
        if not question:
            return None
        after = await self._get(onboarding.id)
        second = replace(message.request, request_key=f"{message.request.request_key}:then")
        return await self._answer(replace(message, request=second), after, question, role)

    async def _answer(
        self,
        message: _Message,
        onboarding: Onboarding,
        question: str,
        role: Role,
        *,
        trouble: bool = False,
    ) -> str | None:
        """Answer from the guide, in the thread; if it has no answer, ask the engineer."""
        request, ts = message.request, message.ts_in_thread
        if await self._questions.answer(request, onboarding, question, ts, trouble=trouble):
            return ANSWERED
        if role is Role.ENGINEER:
            return words_text(onboarding)
        return await self._questions.ask_at_current(request, onboarding, question, ts)

    async def _near(self, message: _Message, onboarding: Onboarding) -> Reply | None:
        """Occasionally ask what was meant; None if it isn't the client's turn."""
        step, person = onboarding.current, message.request.person
        if step is None or onboarding.owner_of(step.number) is Owner.HEAVYSET:
            return None
        what = f"near:{onboarding.id}:{person.team_id}:{person.user_id}"
        if await asked_lately(self._services, what):
            return None
        engineer = (await self._services.directory.profile(onboarding.engineer)).name
        line = near_line(onboarding, step, message.ts, engineer)
        return Reply(onboarding.id, line.text, line.blocks)

    async def mark_done(self, request: Request, ref: StepRef) -> EphemeralReply:
        """Finish the step that someone was asked about; return a line that says so."""
        await self._steps.finish(request, ref)
        return plain_answer(f"✅ Marked step {ref.step} done.")

    async def send(self, request: Request, ref: StepRef, thread_ts: str | None) -> str:
        """Send a message that someone wrote in the thread to the engineer."""
        [ts] = ref.fields or [""]
        said = await self._services.slack.message_at(request.channel, ts, thread_ts)
        if said is None or said.user_id != request.person.user_id:
            raise Refused("I can't find that message anymore. Type `help` and your question.")
        onboarding = await self._get(ref.onboarding_id)
        ts = ts if thread_ts else ""
        return await self._questions.ask_at_current(request, onboarding, as_typed(said.text), ts)

    async def _find(self, channel: str, thread_ts: str | None) -> Onboarding | None:
        services = self._services
        async with services.database.begin(write=False) as session:
            if thread_ts is None:
                running = await onboardings.running_in(session, services.guides, channel)
                return running[0] if running else None
            return await onboardings.of_thread(session, services.guides, channel, thread_ts)


def _current(onboarding: Onboarding) -> StepRef:
    if onboarding.current_step is None:
        raise Refused("All steps are done. Nothing left to do here.")
    return StepRef(onboarding.id, onboarding.current_step)


def _last_done(onboarding: Onboarding) -> StepRef:
    if onboarding.last_done is None:
        raise Refused("Nothing is done yet, so there's nothing to undo.")
    return StepRef(onboarding.id, onboarding.last_done)


# Instead of a reply: the answer is in the thread.
ANSWERED = ""
NOTHING_HERE = (
    "There's no onboarding in this channel yet. A HeavySet engineer can start one with "
    "`/servicetitan start`."
)
