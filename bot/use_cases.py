"""One method for each thing a person can do: who is it, one transaction, then bring level."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from slack_sdk.models.views import View
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import onboarding as state
from bot.credentials import Problem, Severity, check, clean, mask
from bot.directory import Directory
from bot.errors import NotFound, Refused, Unreadable
from bot.guide import Owner
from bot.mrkdwn import channel_link, escape, link, permalink
from bot.onboarding import Change, Onboarding
from bot.people import Actor, Deed, Person, Role, require
from bot.publisher import Publisher
from bot.slack import Channel, Slack, SlackRefused
from bot.verifier import Verifier
from bot.views import modals
from bot.views.ids import FormRef, StepRef
from bot.views.status import Answer, help_answer, status_answer
from storage import credentials, onboardings
from storage.changes import change
from storage.database import Conflict, Database
from storage.guides import GuideShelf
from storage.vault import Place, Vault


class InvalidInput(Refused):
    """What somebody entered cannot be taken; `errors` says why, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        """Take the texts to be shown at the fields."""
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


class NeedsConfirmation(Refused):
    """What somebody entered is unusual: `view` asks them to confirm it."""

    def __init__(self, view: View) -> None:
        """Take the view that takes the form's place."""
        super().__init__("This looks unusual.")
        self.view = view


@dataclass(frozen=True, slots=True)
class Services:
    """What the use cases work with; `app` builds it."""

    database: Database
    shelf: GuideShelf
    vault: Vault
    slack: Slack
    directory: Directory
    publisher: Publisher
    verifier: Verifier
    clock: Callable[[], datetime]


class UseCases:
    """What people can do. Every method may raise Refused, with words for them, or Unavailable."""

    def __init__(self, services: Services) -> None:
        """Take the services."""
        self._services = services

    # --- starting ---

    async def start_form(self, person: Person, channel: str, client_name: str) -> View:
        """Return the form for a new onboarding in `channel`."""
        await self._must_be_engineer(person)
        name = client_name.strip()
        if len(name) > modals.LONGEST_NAME:
            raise Refused(
                f"That name has {len(name)} characters; a client's name has at most "
                f"{modals.LONGEST_NAME}. Nothing was started."
            )
        _refuse_markup(name)
        await self._must_be_free(channel)
        await self._must_be_member(channel)
        return modals.start_modal(FormRef(channel, person.user_id, person.team_id), name)

    async def start(
        self, person: Person, ref: FormRef, *, client_name: str, admins: list[str], engineer: str
    ) -> Onboarding:
        """Begin an onboarding."""
        await self._must_be_engineer(_opener(person, ref))
        name = client_name.strip()
        if not clean(name) or len(name) > modals.LONGEST_NAME:
            wanted = f"Please enter the client's name, in at most {modals.LONGEST_NAME} characters."
            raise InvalidInput({"client_name": wanted})
        try:
            _refuse_markup(name)
        except Refused as error:
            raise InvalidInput({"client_name": str(error)}) from error
        engineer = engineer or person.user_id
        if not await self._services.directory.is_engineer(
            await self._services.directory.person(engineer)
        ):
            raise InvalidInput({"engineer": "This person is no HeavySet engineer. Choose another."})
        begun = state.start(
            uuid.uuid4().hex[:16],
            self._services.shelf.newest,
            client_name=name,
            channel=ref.channel,
            engineer=engineer,
            client_admins=admins,
            actor=Actor(person.user_id, person.team_id, Role.ENGINEER),
            now=self._services.clock(),
        )
        try:
            async with self._services.database.begin() as session:
                await onboardings.add(session, begun)
        except Conflict:
            raise InvalidInput(
                {"client_name": "An onboarding runs in this channel already. Nothing was started."}
            ) from None
        self._services.publisher.wake(begun.onboarding.id)
        return begun.onboarding

    # --- steps ---

    async def choose(self, person: Person, channel: str, ref: StepRef, option: str) -> None:
        """Answer the question of a step."""
        actor = await self._actor(person, channel, ref)
        await self._change(ref, lambda at, now: at.choose(ref.step, option, actor, now))

    async def finish_step(self, person: Person, channel: str, ref: StepRef) -> None:
        """Mark a step as done."""
        actor = await self._actor(person, channel, ref)
        await self._change(ref, lambda at, now: at.finish_step(ref.step, actor, now))

    async def undo_step(self, person: Person, channel: str, ref: StepRef) -> None:
        """Take back that a step is done."""
        actor = await self._actor(person, channel, ref)
        await self._change(ref, lambda at, now: at.undo_step(ref.step, actor, now))

    # --- credentials ---

    async def credentials_form(self, person: Person, channel: str, ref: StepRef) -> View:
        """Return the form for the values of a step, or for just those that `ref` names."""
        onboarding = await self._get(ref.onboarding_id)
        await self._role(person, channel, onboarding, Deed.CLIENT_STEP)
        at = onboarding.step(ref.step).number
        names = ref.fields or modals.fields_at(onboarding, at)
        if not names or any(
            name not in {one.id for one in onboarding.guide.credentials} for name in names
        ):
            raise Refused("There is nothing to enter at this step.")
        form = FormRef(channel, person.user_id, person.team_id, onboarding.id, at, names)
        return modals.credentials_modal(onboarding, form)

    async def enter_credentials(
        self, person: Person, ref: FormRef, values: Mapping[str, SecretStr], *, confirmed: bool
    ) -> None:
        """Check, encrypt and keep values. Nothing is kept unless all of it is.

        Raises InvalidInput for values that cannot be right, and NeedsConfirmation for unusual
        ones that were not `confirmed`.
        """
        onboarding = await self._get(ref.onboarding_id)
        role = await self._role(_opener(person, ref), ref.channel, onboarding, Deed.CLIENT_STEP)
        plain = {
            name: text
            for name in ref.fields
            if (text := clean(values.get(name, SecretStr("")).get_secret_value()))
        }
        self._check_complete(onboarding, ref, plain)
        problems = self._problems(onboarding, plain, await self._stored(onboarding, plain))
        errors = {n: p.text for n, p in problems.items() if p.severity is Severity.ERROR}
        if errors:
            raise InvalidInput(errors)
        if problems and not confirmed:
            warnings = {name: problem.text for name, problem in problems.items()}
            raise NeedsConfirmation(modals.credentials_modal(onboarding, ref, warnings))
        await self._keep(ref, plain, Actor(person.user_id, person.team_id, role))

    async def _keep(self, ref: FormRef, plain: Mapping[str, str], actor: Actor) -> None:
        services, now = self._services, self._services.clock()
        masks = {name: mask(value) for name, value in plain.items()}

        async def put(session: AsyncSession, after: Onboarding) -> None:
            sealed = [
                services.vault.seal(
                    Place(after.id, name, after.credentials[name].version, masks[name]),
                    SecretStr(value),
                )
                for name, value in plain.items()
            ]
            await credentials.put(session, sealed, actor, now)

        after = await change(
            services.database,
            services.shelf,
            ref.onboarding_id,
            lambda at: at.enter_credentials(ref.step, masks, actor, now),
            put,
        )
        services.publisher.wake(after.id)
        if after.verification:
            services.verifier.wake(after.id)

    def _check_complete(
        self, onboarding: Onboarding, ref: FormRef, plain: Mapping[str, str]
    ) -> None:
        required = modals.required_fields(onboarding, ref)
        missing = [name for name in required if name not in plain]
        if missing or not plain:
            raise InvalidInput(
                {
                    name: f"Please enter the {onboarding.guide.field(name).label}."
                    for name in missing or ref.fields[:1]
                }
            )

    def _problems(
        self, onboarding: Onboarding, plain: Mapping[str, str], stored: Mapping[str, str]
    ) -> dict[str, Problem]:
        found = check(onboarding.guide.credentials, {**stored, **plain})
        return {name: problem for name, problem in found.items() if name in plain}

    async def _stored(self, onboarding: Onboarding, plain: Mapping[str, str]) -> dict[str, str]:
        """The other stored values, for the comparison with new ones."""
        async with self._services.database.begin(write=False) as session:
            sealed = await credentials.of(session, onboarding.id)
        values = {}
        for name, one in sealed.items():
            if name not in plain:
                try:
                    values[name] = self._services.vault.open(one).get_secret_value()
                except Unreadable:  # its own trouble; it must not keep people from entering this
                    continue
        return values

    async def reveal(self, person: Person, channel: str, ref: StepRef) -> View:
        """Return a modal with the values that a step is about; recorded before it is shown."""
        onboarding = await self._get(ref.onboarding_id)
        role = await self._role(person, channel, onboarding, Deed.REVEAL)
        names = onboarding.guide.step(onboarding.step(ref.step).number).reveals
        if not names:
            raise Refused("There is nothing to reveal at this step.")
        services = self._services
        async with services.database.begin(write=False) as session:
            sealed = await credentials.of(session, onboarding.id)
        try:
            values = {name: services.vault.open(sealed[name]) for name in names if name in sealed}
        except Unreadable as error:
            raise Refused(
                "A stored value cannot be read: its key is missing, or it was altered. The "
                "operator finds the reason with `onboarding keys check`."
            ) from error
        actor = Actor(person.user_id, person.team_id, role)
        after = await self._change(ref, lambda at, now: at.reveal(names, actor, now))
        form = FormRef(channel, person.user_id, person.team_id, after.id, ref.step, names)
        return modals.reveal_modal(after, form, values)

    # --- help ---

    async def help_form(self, person: Person, channel: str, ref: StepRef) -> View:
        """Return the guide's help for a step, with a field for a question."""
        onboarding = await self._get(ref.onboarding_id)
        await self._role(person, channel, onboarding, Deed.CLIENT_STEP)
        at = onboarding.step(ref.step).number
        form = FormRef(channel, person.user_id, person.team_id, onboarding.id, at)
        return modals.help_modal(onboarding, form)

    async def ask_for_help(self, person: Person, ref: FormRef, question: str) -> Onboarding:
        """Take a question to the engineer."""
        if not question.strip():
            raise InvalidInput({"question": "Please write what you would like to know."})
        onboarding = await self._get(ref.onboarding_id)
        role = await self._role(_opener(person, ref), ref.channel, onboarding, Deed.CLIENT_STEP)
        actor = Actor(person.user_id, person.team_id, role)
        target = StepRef(ref.onboarding_id, ref.step)
        text = question.strip()
        return await self._change(
            target, lambda at, now: at.ask_for_help(ref.step, text, actor, now)
        )

    # --- verification ---

    async def request_verification(self, person: Person, channel: str, ref: StepRef) -> None:
        """Have the values verified now."""
        onboarding = await self._get(ref.onboarding_id)
        role = await self._role(person, channel, onboarding, Deed.HEAVYSET_STEP)
        actor = Actor(person.user_id, person.team_id, role)
        await self._change(ref, lambda at, now: at.request_verification(actor, now))
        self._services.verifier.wake(ref.onboarding_id)

    # --- the slash command's answers ---

    async def status(self, person: Person, channel: str) -> Answer:
        """Return the state of this channel's client; in other channels, of all active ones."""
        await self._must_be_engineer(person)
        services = self._services
        async with services.database.begin(write=False) as session:
            here = await onboardings.overview_in(session, channel)
            lines = here or await onboardings.overview(session)
        return status_answer(
            lines,
            services.shelf.newest,
            now=services.clock(),
            workspace_url=services.slack.identity.url,
            here=bool(here),
        )

    async def help(self, person: Person, problem: str | None = None) -> Answer:
        """Return the list of commands, after `problem`."""
        await self._must_be_engineer(person)
        return help_answer(problem)

    # --- what they have in common ---

    async def _get(self, onboarding_id: str) -> Onboarding:
        async with self._services.database.begin(write=False) as session:
            return await onboardings.get(session, self._services.shelf, onboarding_id)

    async def _role(self, person: Person, channel: str, onboarding: Onboarding, deed: Deed) -> Role:
        if channel != onboarding.channel:
            raise NotFound("This belongs to another channel. Please use the buttons of this one.")
        role = await self._services.directory.role(person, onboarding, channel)
        require(role, deed)
        return role

    async def _actor(self, person: Person, channel: str, ref: StepRef) -> Actor:
        onboarding = await self._get(ref.onboarding_id)
        number = onboarding.step(ref.step).number
        heavyset = onboarding.guide.phase_of(number).owner is Owner.HEAVYSET
        deed = Deed.HEAVYSET_STEP if heavyset else Deed.CLIENT_STEP
        role = await self._role(person, channel, onboarding, deed)
        return Actor(person.user_id, person.team_id, role)

    async def _change(
        self, ref: StepRef, transition: Callable[[Onboarding, datetime], Change]
    ) -> Onboarding:
        services, now = self._services, self._services.clock()
        after = await change(
            services.database, services.shelf, ref.onboarding_id, lambda at: transition(at, now)
        )
        services.publisher.wake(after.id)
        return after

    async def _must_be_engineer(self, person: Person) -> None:
        engineer = await self._services.directory.is_engineer(person)
        require(Role.ENGINEER if engineer else Role.NOBODY, Deed.MANAGE)

    async def _must_be_free(self, channel: str) -> None:
        services = self._services
        async with services.database.begin(write=False) as session:
            running = await onboardings.running_in(session, services.shelf, channel)
        if running is None:
            return
        where = channel_link(channel)
        if running.thread_ts:
            address = permalink(services.slack.identity.url, channel, running.thread_ts)
            where = link(address, "thread")
        raise Refused(
            f"{escape(running.client_name)} is being onboarded in this channel already "
            f"({running.finished_steps} of {len(running.steps)} steps done, {where}). "
            "Nothing was started."
        )

    async def _must_be_member(self, channel: str) -> None:
        if channel.startswith("D"):
            raise Refused(DIRECT)
        try:
            found = await self._services.slack.channel(channel)
        except SlackRefused as error:
            if error.code not in ("channel_not_found", "not_in_channel"):
                raise
            found = Channel("", is_member=False, is_direct=False, is_archived=False)
        if found.is_direct:
            raise Refused(DIRECT)
        if found.is_archived:
            raise Refused("This channel is archived. Take it out of the archive, then try again.")
        if not found.is_member:
            bot = self._services.slack.identity.user_id
            raise Refused(
                f"I am not in this channel yet. Type `/invite <@{bot}>` here, then start again."
            )


DIRECT = (
    "This works in the channel that you share with the client, not in a direct message. "
    "Go there and type the command again."
)


def _opener(person: Person, ref: FormRef) -> Person:
    """Return `person` if they opened the form; nobody else may submit it."""
    if (person.user_id, person.team_id) != (ref.user_id, ref.team_id):
        raise Refused("This form was opened by somebody else. Please open it yourself.")
    return person


def _refuse_markup(name: str) -> None:
    if any(mark in name for mark in "<>"):
        raise Refused("A client's name has no mentions, no links and no < or > in it.")
