"""What the use cases have in common: who asks, may they, one transaction, then bring level."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from slack_sdk.models.views import View
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.deadline import answering_within
from bot.core.english import listed
from bot.core.errors import NotAllowed, NotFound, Refused, Unavailable
from bot.core.mrkdwn import channel_link, escape, mention
from bot.onboarding import Change, Event, EventKind, Onboarding
from bot.onboarding.people import REFUSALS, Actor, Permission, Person, Role, require
from bot.onboarding.secret_scan import candidates, guesses, looks_like
from bot.onboarding.throttling import GUESSES, GUESSES_AT_ONCE, REFUSALS_KEPT
from bot.publishing.engineering_channel import EngineeringChannel
from bot.publishing.home import HomePublisher
from bot.publishing.publisher import Publisher
from bot.reminders.sender import ReminderSender
from bot.slack import Slack
from bot.slack.directory import Directory
from bot.slack.membership import Membership, Undecided
from bot.use_cases.reveals import Reveals
from bot.use_cases.slash_command import Named
from bot.verification.runner import VerificationRunner
from bot.views.blocks import bullets_of
from bot.views.ids import FormRef
from storage import credentials, event_log, history, onboardings, throttling
from storage.changes import change
from storage.database import Database
from storage.guides import GuideStore
from storage.to_rows import client_key
from storage.vault import Vault

log = logging.getLogger(__name__)

T = TypeVar("T")
# Of the client's people, so many are named to somebody who may not act.
MOST_NAMED = 3
# A button's trigger opens a window for three seconds.
AFRESH_SECONDS = 2
SLACK_IS_SILENT = (
    "Slack isn't answering, so I can't tell whether you may still see credentials. Nothing was "
    "shown. Please try again in a moment."
)


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
class Opening:
    """A form to be opened now, and what takes its place once it is known."""

    view: View
    then: asyncio.Task[View] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, from where. `request_key` names Slack's request: a repeated one bears the same."""

    person: Person
    channel: str
    request_key: str


@dataclass(frozen=True, slots=True)
class Services:
    """What the use cases work with; `app` builds it."""

    database: Database
    guides: GuideStore
    vault: Vault
    slack: Slack
    directory: Directory
    publisher: Publisher
    homes: HomePublisher
    verification_runner: VerificationRunner
    reminder_sender: ReminderSender
    reveals: Reveals
    retain_for: timedelta
    engineering_channel: str
    engineering: EngineeringChannel
    clock: Callable[[], datetime]


class UseCase:
    """The base of all."""

    def __init__(self, services: Services) -> None:
        """Take the services."""
        self._services = services

    async def _get(self, onboarding_id: str) -> Onboarding:
        async with self._services.database.begin(write=False) as session:
            return await onboardings.get(session, self._services.guides, onboarding_id)

    async def _actor(
        self, request: Request, onboarding: Onboarding, permission: Permission
    ) -> Actor:
        """Return who asks, in their role; raises NotAllowed, which the history keeps.

        Who wants to look at credentials is asked about each time, and refused unless Slack answers.
        """

        async def judge(known: Membership) -> Actor:
            return _judged(request, known, onboarding, permission)

        try:
            if permission is not Permission.REVEAL:
                return await self._as_known(request.person, judge)
            with answering_within(AFRESH_SECONDS):
                return await self._as_known(request.person, judge, fresh=True)
        except Unavailable as error:
            if permission is not Permission.REVEAL:
                raise
            log.warning("nothing was revealed", extra={"reason": str(error)})
            raise Refused(SLACK_IS_SILENT) from error
        except (NotAllowed, NotFound) as refusal:
            await self._record_refusal(request.person, onboarding.id, permission, refusal)
            raise

    async def _act(
        self,
        request: Request,
        onboarding_id: str,
        permission: Callable[[Onboarding], Permission],
        transition: Callable[[Onboarding, Actor, datetime], Change],
        also: Callable[[AsyncSession, Onboarding, Actor], Awaitable[None]] | None = None,
    ) -> Onboarding:
        """Judge, decide and write, in one transaction; raises as `_actor` and `_change` do.

        The first of the client's people who acts makes it their organization's onboarding.
        """
        judged: list[Permission] = []
        actors: list[Actor] = []

        async def act_as(known: Membership) -> Onboarding:
            def judge_and_decide(onboarding: Onboarding, now: datetime) -> Change:
                judged[:] = [permission(onboarding)]
                actor = _judged(request, known, onboarding, *judged)
                judged.clear()
                actors[:] = [actor]
                if actor.role is Role.CLIENT_ADMIN:
                    onboarding = known.joined_to(onboarding)
                return transition(onboarding, actor, now)

            async def write(session: AsyncSession, after: Onboarding) -> None:
                if also:
                    await also(session, after, *actors)

            return await self._change(request, onboarding_id, judge_and_decide, write)

        try:
            return await self._as_known(request.person, act_as)
        except Refused as refusal:
            for one in judged:
                await self._record_refusal(request.person, onboarding_id, one, refusal)
            raise

    async def _as_known(
        self, person: Person, work: Callable[[Membership], Awaitable[T]], *, fresh: bool = False
    ) -> T:
        """Do `work` with what is known of somebody; again, once more of the client is known."""
        directory = self._services.directory
        known = await directory.membership(person, fresh=fresh)
        try:
            return await work(known)
        except Undecided as undecided:
            return await work(await directory.with_contacts(known, undecided.people))

    async def _role(self, person: Person, onboarding: Onboarding) -> Role:
        async def judge(known: Membership) -> Role:
            return known.role_in(onboarding)

        return await self._as_known(person, judge)

    async def _opened_by(self, request: Request, ref: FormRef) -> None:
        """Raise Refused unless who asks is who opened the form, and is still in its channel.

        On Enterprise Grid a command names the workspace's team, and a form the person's own
        (bolt-js#1875): the same id at home, or in the same organization, is the same person.
        """
        person = request.person
        if not await self._is_same(person, ref):
            log.warning("a form of somebody else", extra={"user": person.user_id})
            raise Refused("This form was opened by somebody else. Please open it yourself.")
        if ref.channel and not await self._services.directory.is_still_in(ref.channel, person):
            log.warning("a form of somebody who left", extra={"user": person.user_id})
            raise Refused("You're no longer in this channel, so nothing was changed.")

    async def _is_same(self, person: Person, ref: FormRef) -> bool:
        if person.user_id != ref.user_id:
            return False
        if person.team_id == ref.team_id:
            return True
        known = await self._services.directory.membership(person)
        if known.home or ref.team_id in ("", *known.organizations):
            return True
        if not known.certain:
            raise Unavailable("Slack does not say of which organization somebody is")
        return False

    async def _change(
        self,
        request: Request,
        onboarding_id: str,
        transition: Callable[[Onboarding, datetime], Change],
        also: Callable[[AsyncSession, Onboarding], Awaitable[None]] | None = None,
    ) -> Onboarding:
        services, now = self._services, self._services.clock()
        try:
            after = await change(
                services.database,
                services.guides,
                onboarding_id,
                lambda onboarding: transition(onboarding, now),
                also,
                request_key=(request.request_key, now),
            )
        except (NotAllowed, NotFound):
            raise
        except Refused:  # a button that should be gone: what somebody looks at goes first
            services.publisher.wake(onboarding_id)
            raise
        services.publisher.wake(after.id)
        return after

    async def _engineer(self, person: Person) -> Actor:
        """Return who asks, if they are an engineer; else raises NotAllowed."""
        known = await self._services.directory.membership(person)
        person = known.person
        if not known.engineer:
            log.warning("no engineer", extra={"user": person.user_id, "team": person.team_id})
        require(Role.ENGINEER if known.engineer else Role.NOBODY, Permission.MANAGE)
        return Actor(person.user_id, person.team_id, Role.ENGINEER)

    async def _client(self, request: Request, words: str, *, finished: bool = False) -> Onboarding:
        """Return the onboarding that a command is about: the channel's own, or the one named.

        With `finished`, also one that has ended. Raises Refused if it is none, or not one alone.
        """
        services, named = self._services, Named.of(words)
        name, channel = named.name, named.channel or request.channel
        self._must_be_no_secret(name)
        async with services.database.begin(write=False) as session:
            if name:
                found = await onboardings.named(
                    session, services.guides, name, channel=channel, finished=finished
                )
                if not found and not named.channel:
                    found = await onboardings.named(
                        session, services.guides, name, finished=finished
                    )
            else:
                found = await onboardings.running_in(session, services.guides, channel)
                if not found and finished:
                    last = await onboardings.newest_in(session, services.guides, channel)
                    found = [last] if last else []
        return _the_only(found, name, finished=finished)

    def _must_be_no_secret(self, words: str) -> None:
        """Raise Refused for what looks like a secret: an answer would repeat what was typed."""
        guide = self._services.guides.newest
        if shaped := looks_like(words, guide.credentials):
            label = guide.field(shaped[0]).label
            raise Refused(f"This looks like the {label}, not like a client. Nothing was changed.")

    async def _value_in(self, text: str, onboarding: Onboarding | None = None) -> str | None:
        """Return the label of a value in `text`: by its looks, or as one that is stored.

        Only the values of `onboarding` are compared, in which whoever wrote the text may act:
        nobody learns about another client's. The text itself is kept nowhere.
        """
        services = self._services
        fields = onboarding.guide.credentials if onboarding else services.guides.newest.credentials
        found = looks_like(text, fields)
        if not found and onboarding:
            fingerprints = {
                fingerprint
                for one in candidates(text)
                for fingerprint in services.vault.fingerprints(one)
            }
            async with services.database.begin(write=False) as session:
                stored = await credentials.known(session, fingerprints)
            found = tuple(one.field for one in stored if one.onboarding_id == onboarding.id)
        labels = {field.id: field.label for field in fields}
        return labels.get(found[0], "credential") if found else None

    async def _guesses(self, request: Request, onboarding: Onboarding, text: str) -> bool:
        """Whether somebody seems to try which values are stored; the history then says so.

        What they write is then compared with none of them.
        """
        services, person, now = self._services, request.person, self._services.clock()
        if not (count := guesses(text)):
            return False
        of = f"guess:{onboarding.id}:{person.team_id}:{person.user_id}"
        async with services.database.begin() as session:
            recent = await throttling.count(session, of, count, now, GUESSES.within)
        if count <= GUESSES_AT_ONCE and recent <= GUESSES.most:
            return False
        log.warning("somebody tries many values", extra={"user": person.user_id, "count": count})
        await self._record_refusal(person, onboarding.id, Permission.GUESS, NotAllowed("Too many."))
        return True

    async def _record_refusal(
        self, person: Person, onboarding_id: str, permission: Permission, refusal: Refused
    ) -> None:
        """Write it in the history, unless the same was refused within the hour."""
        actor = Actor(person.user_id, person.team_id, Role.NOBODY)
        detail = {"deed": permission.value, "reason": type(refusal).__name__}
        now, database = self._services.clock(), self._services.database
        event = Event(EventKind.REFUSED, actor, now, None, detail)
        async with database.begin(write=False) as session:
            if await event_log.has_refusal(session, onboarding_id, event, REFUSALS_KEPT.within):
                return
        async with database.begin() as session:
            await history.record(session, onboarding_id, event)


def _judged(
    request: Request, known: Membership, onboarding: Onboarding, permission: Permission
) -> Actor:
    if request.channel != onboarding.channel:
        raise NotFound("This belongs to another channel. Please use the buttons of this channel.")
    role = known.role_in(onboarding)
    if role is Role.NOBODY and permission is Permission.CLIENT_STEP:
        raise NotAllowed(f"{REFUSALS[permission]} {_whom_to_ask(onboarding)}")
    require(role, permission)
    return Actor(known.person.user_id, known.person.team_id, role)


def _whom_to_ask(onboarding: Onboarding) -> str:
    contacts = [mention(one) for one in onboarding.client_people[:MOST_NAMED]]
    people = listed([*contacts, mention(onboarding.engineer)], "or")
    return f"Please ask {people}."


def _the_only(found: Sequence[Onboarding], name: str, *, finished: bool) -> Onboarding:
    if not found and name:
        raise Refused(f"No client has “{escape(name)}” in the name. Nothing was changed.")
    if not found:
        raise Refused(
            "No onboarding runs in this channel. Type this in the client's channel, or name the "
            "client."
        )
    if len(found) == 1:
        return found[0]
    if finished and len({client_key(one.client_name) for one in found}) == 1:
        return found[0]  # the same client's earlier ones: the newest is meant
    clients = bullets_of(
        f"{escape(one.client_name)} in {channel_link(one.channel)}" for one in found
    )
    raise Refused(f"Which one? Please name the client as exactly as needed.\n{clients}")
