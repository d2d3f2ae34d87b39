"""What people type in the thread: words such as `done`, questions, and trouble."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

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
from bot.views.blocks import EphemeralReply
from bot.views.conversation import near_line
from bot.views.ids import StepRef
from bot.views.reply_texts import help_text, refusal_text, status_text, words_text
from storage import onboardings

# These are meant for the bot, no matter who types them.
STEERING = {Meaning.DONE, Meaning.UNDO, Meaning.CHOOSE, Meaning.STATUS, Meaning.HELP}
NOTHING_HERE = (
    "There's no onboarding in this channel yet. A HeavySet engineer can start one with "
    "`/servicetitan start`."
)


@dataclass(frozen=True, slots=True)
class _Message:
    """A message in an onboarding's thread, or anywhere in the channel if we were `mentioned`."""

    request: Request
    onboarding: Onboarding
    thread_ts: str | None
    ts: str
    mentioned: bool


class Messages(UseCase):
    """Does what people type. Most commands need no reply: the thread shows the change."""

    def __init__(
        self, services: Services, steps: Steps, questions: ClientQuestions, replies: EngineerReplies
    ) -> None:
        super().__init__(services)
        self._steps, self._questions, self._replies = steps, questions, replies

    async def say(
        self, request: Request, thread_ts: str | None, ts: str, text: str, *, mentioned: bool
    ) -> str | EphemeralReply | None:
        """Do what `text` says in a thread, or anywhere in the channel if we were `mentioned`.

        `ts` identifies the message. Returns None if there is nothing to say, such as when people
        just talk. An engineer's words count only with a mention: they also talk with the client.
        """
        if request.channel == self._services.engineering_channel and thread_ts:
            return await self._replies.offer_to_send(request, thread_ts, ts)
        onboarding = await self._find(request.channel, thread_ts)
        if onboarding is None:
            return NOTHING_HERE if mentioned else None
        reply: str | EphemeralReply | None = None
        if onboarding.open_questions and thread_ts and not mentioned:
            reply = await self._replies.ask_whether_answered(request, onboarding, ts)
        if reply is None:
            message = _Message(request, onboarding, thread_ts, ts, mentioned)
            reply = await self._act_on(message, text)
        if thread_ts:
            await self._hear(request, onboarding.id, text)
        return reply

    async def _hear(self, request: Request, onboarding_id: str, text: str) -> None:
        """Record that a side wrote, so that it isn't treated as inactive."""
        services, person = self._services, request.person
        onboarding = await self._get(onboarding_id)
        role = await services.directory.role_in(onboarding, person)
        if role not in (Role.CLIENT_ADMIN, Role.ENGINEER):
            return
        actor = Actor(person.user_id, person.team_id, role)
        hear = partial(services.follow_ups.hear, text=text, actor=actor)
        with suppress(Refused, Repeated):  # nothing to record, or an edit
            hear(onboarding, now=services.clock())  # raises for most messages
            await self._change(request.part("heard"), onboarding_id, hear)

    async def _act_on(self, message: _Message, text: str) -> str | EphemeralReply | None:
        onboarding, mentioned = message.onboarding, message.mentioned
        intent = understand(onboarding.guide, text, onboarding.current, mentioned=mentioned)
        if intent.meaning is Meaning.NOTHING and not mentioned:
            return None
        role = await self._services.directory.role_in(onboarding, message.request.person)
        is_command = intent.meaning in STEERING or intent.by_command
        is_talk = role is Role.ENGINEER or not is_command
        if role is not Role.CLIENT_ADMIN and not mentioned and is_talk:
            return None
        if intent.meaning is Meaning.NEAR and role is Role.CLIENT_ADMIN:
            line = await self._near(message)
            if line or not mentioned:
                return line
        try:
            return await self._do(message, intent, role)
        except Refused as refusal:
            return refusal_text(refusal)

    async def _do(self, message: _Message, intent: Intent, role: Role) -> str | None:
        request, onboarding = message.request, message.onboarding
        await self._actor(request, onboarding, Permission.CLIENT_STEP)
        match intent.meaning:
            case Meaning.DONE:
                await self._steps.finish(request, _current(onboarding))
                if not intent.words:
                    return None
                # Answer what followed “done”, at the step that is next.
                after = await self._get(onboarding.id)
                then = replace(message, request=request.part("then"), onboarding=after)
                return await self._answer(then, intent.words, role)
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
                return await self._answer(message, intent.words, role, trouble=trouble)
        return words_text(onboarding)

    async def _answer(
        self, message: _Message, question: str, role: Role, *, trouble: bool = False
    ) -> str | None:
        """Answer from the guide, in the thread; if it has no answer, ask the engineer."""
        request, onboarding = message.request, message.onboarding
        ts = message.ts if message.thread_ts else ""
        if await self._questions.answer(request, onboarding, question, ts, trouble=trouble):
            return None if message.thread_ts else "I answered in the thread."
        if role is Role.ENGINEER:
            return words_text(onboarding)
        return await self._questions.ask_at_current(request, onboarding, question, ts)

    async def _near(self, message: _Message) -> EphemeralReply | None:
        """Occasionally ask what was meant; None if it isn't the client's turn."""
        onboarding, person = message.onboarding, message.request.person
        step = onboarding.current
        if step is None or onboarding.owner_of(step.number) is Owner.HEAVYSET:
            return None
        what = f"near:{onboarding.id}:{person.team_id}:{person.user_id}"
        if await asked_lately(self._services, what):
            return None
        engineer = (await self._services.directory.profile(onboarding.engineer)).name
        return near_line(onboarding, step, message.ts, engineer)

    async def mark_done(self, request: Request, ref: StepRef) -> str:
        """Finish the step that someone was asked about; return a line that says so."""
        await self._steps.finish(request, ref)
        return f"✅ Marked step {ref.step} done."

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
        if thread_ts is None:
            return next(iter(await self._running_in(channel)), None)
        services = self._services
        return await services.read(onboardings.of_thread, channel, thread_ts)


def _current(onboarding: Onboarding) -> StepRef:
    if onboarding.current_step is None:
        raise Refused("All steps are done. Nothing left to do here.")
    return StepRef(onboarding.id, onboarding.current_step)


def _last_done(onboarding: Onboarding) -> StepRef:
    if onboarding.last_done is None:
        raise Refused("Nothing is done yet, so there's nothing to undo.")
    return StepRef(onboarding.id, onboarding.last_done)
