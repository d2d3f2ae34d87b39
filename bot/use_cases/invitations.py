"""Creates a channel for a client, invites people by email, and starts the onboarding there."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.core.english import listed
from bot.core.errors import Refused, Repeated, Unavailable
from bot.core.mrkdwn import channel_link, escape, mention
from bot.guide import Guide
from bot.onboarding import Event, EventKind, Onboarding
from bot.onboarding.names import LONGEST_CHANNEL
from bot.onboarding.people import Actor
from bot.slack import Channel, SlackRefused
from bot.use_cases.invitation_refusals import missing_scope, why_no_channel, why_not_invited
from bot.use_cases.invitees import Invitees, why_wrong
from bot.use_cases.lookup import must_be_no_secret
from bot.use_cases.services import InvalidInput, Request, Services
from bot.use_cases.start import Start
from bot.use_cases.start_inputs import (
    checked_engineer,
    checked_guide,
    checked_name,
    guide_named,
    must_be_a_name,
)
from bot.use_cases.use_case import UseCase
from bot.views.forms import View
from bot.views.ids import ADDRESSES, CHANNEL_NAME, FormRef
from bot.views.start import guide_choice, invite_modal
from storage import event_log, history
from storage.to_rows import client_key

MOST_ADDRESSES = 10
MOST_NAMED = 3  # invalid addresses named in an error, which must fit below the input

BY_HAND = "Invite them yourself: channel name → *Add people*."


@dataclass(frozen=True, slots=True)
class Invitation:
    """What to create: the client, the channel's name, the people to invite."""

    client_name: str
    guide: Guide
    addresses: Sequence[str]
    channel_name: str
    private: bool
    engineer: str


class Invitations(UseCase):
    """`/servicetitan start Acme invite ann@acme.com`: its form, and what submitting it does."""

    def __init__(self, services: Services, starting: Start) -> None:
        super().__init__(services)
        self._starting = starting

    async def form(
        self, request: Request, client_name: str, invitees: Invitees, guide_id: str
    ) -> View:
        """Return the form to confirm who is invited to which channel; works from any channel."""
        await self._engineer(request.person)
        guide = guide_named(self._services, guide_id)
        choice = guide_choice(self._services.database.guides.offered, guide.id)
        await must_be_a_name(self._services, client_name)
        must_be_no_secret(self._services, " ".join(invitees.wrong))
        if invitees.wrong or len(invitees.addresses) > MOST_ADDRESSES:
            raise Refused(escape(_problem(invitees)))
        if not invitees.addresses:
            raise Refused(
                "Who should I invite? For example: "
                "`/servicetitan start Acme Plumbing invite ann@acme.com`"
            )
        return invite_modal(request.form(), client_name, invitees.addresses, choice)

    async def check(
        self,
        request: Request,
        ref: FormRef,
        *,
        client_name: str,
        addresses: str,
        channel_name: str,
        private: bool,
        engineer: str,
        guide_id: str,
    ) -> Invitation:
        """Validate the form and return what was entered; raises InvalidInput. Creates nothing."""
        await self._submitter(request, ref)
        return Invitation(
            await checked_name(self._services, client_name),
            checked_guide(self._services, guide_id),
            _checked_addresses(addresses),
            _checked_channel(channel_name),
            private,
            await checked_engineer(self._services, request, engineer),
        )

    async def carry_out(self, request: Request, asked: Invitation) -> tuple[str, list[str]]:
        """Create the channel, add people, start, invite; return the channel and the outcome.

        What already exists is used, so the same request can be repeated after any failure. The
        returned channel is empty if there is none.
        """
        lines: list[str] = []
        say = lines.append
        channel = ""
        try:
            actor = await self._engineer(request.person)
            channel = await self._channel(asked)
            say(f"✅ Channel: {channel_link(channel)}")
            say(await self._bring_in(request, channel, asked))
            onboarding = await self._begun(request, actor, channel, asked)
            name = escape(asked.client_name)
            say(f"✅ Started *{name}*'s onboarding{self._thread(onboarding)}.")
            kind = EventKind.CLIENT_INVITED
            past = await self._services.read(event_log.events_of, onboarding.id, kind)
            invited = {str(event.detail["address"]).casefold() for event in past}
            for address in asked.addresses:
                say(await self._invite(onboarding, actor, address, invited))
        except Refused as refusal:
            say(f"⚠️ {refusal}")
        except Unavailable:
            say(
                "⚠️ Slack or the database isn't responding. Run the same command again in a "
                "minute; I'll pick up where I left off."
            )
        return channel, lines

    async def _channel(self, asked: Invitation) -> str:
        """Return the id of the channel; create it unless we already have."""
        slack = self._services.slack
        try:
            return await slack.create_channel(asked.channel_name, private=asked.private)
        except SlackRefused as error:
            if error.code != "name_taken":
                raise Refused(
                    why_no_channel(error.code, asked.channel_name, private=asked.private)
                ) from None
        ours = await slack.channel_named(asked.channel_name)
        name = f"#{escape(asked.channel_name)}"
        if ours is None or ours.creator != slack.identity.user_id:
            raise Refused(
                f"There's already a {name} that I didn't create, so I stopped. Pick another name. "
                "If it's the client's channel, `/invite` me there and run `/servicetitan start "
                f"{escape(asked.client_name)}`."
            )
        self._starting.must_not_be_ours(ours.id)
        await self._must_be_theirs(ours, asked)
        return ours.id

    async def _must_be_theirs(self, ours: Channel, asked: Invitation) -> None:
        name = f"#{escape(ours.name)}"
        if ours.is_archived:
            raise Refused(f"{name} is archived. Unarchive it or pick another name.")
        running = await self._running_in(ours.id)
        others = [one.client_name for one in running if not _same(one, asked)]
        if others:
            raise Refused(
                f"{name} is already used for {escape(listed(others))}. Pick another name."
            )

    async def _bring_in(self, request: Request, channel: str, asked: Invitation) -> str:
        people = list(dict.fromkeys([asked.engineer, request.person.user_id]))
        named = listed(mention(one) for one in people)
        try:
            await self._services.slack.invite(channel, people)
        except SlackRefused as error:
            what = f"{named} couldn't be added ({error.code})"
            scope = missing_scope(error.code, private=asked.private)
            return f"⚠️ {what}. Join {channel_link(channel)} yourself.{scope}"
        return f"✅ Added {named}."

    async def _begun(
        self, request: Request, actor: Actor, channel: str, asked: Invitation
    ) -> Onboarding:
        """Return the client's onboarding in the channel; start it unless we already have."""
        try:
            return await self._starting.begin(
                request,
                actor,
                channel,
                asked.guide,
                client_name=asked.client_name,
                engineer=asked.engineer,
            )
        except (InvalidInput, Repeated):  # already running, or the form was submitted twice
            running = await self._running_in(channel)
        for one in running:
            if _same(one, asked):
                return one
        raise Refused("That onboarding just ended. Run the command again to start a new one.")

    async def _invite(
        self, onboarding: Onboarding, actor: Actor, address: str, invited: Collection[str]
    ) -> str:
        who = escape(address)
        if address.casefold() in invited:
            return f"✅ {who} was already invited."
        try:
            invitation = await self._services.slack.invite_shared(onboarding.channel, address)
        except SlackRefused as error:
            if error.code == "already_in_channel":
                return f"✅ {who} is already in the channel."
            return f"⚠️ {who} wasn't invited: {why_not_invited(error.code)} {BY_HAND}"
        except Unavailable:  # invite the others anyway
            return f"⚠️ {who} wasn't invited: Slack isn't responding. Run the same command again."
        detail = {"address": address, "invitation": invitation}
        event = Event(EventKind.CLIENT_INVITED, actor, self._services.clock(), None, detail)
        async with self._services.database.begin() as session:
            await history.record(session, onboarding.id, event)
        return f"✅ Invited {who}. Their Slack admin may need to approve it."


def _same(running: Onboarding, asked: Invitation) -> bool:
    return client_key(running.client_name) == client_key(asked.client_name)


def _checked_addresses(text: str) -> tuple[str, ...]:
    invitees = Invitees.of(text)
    if invitees.wrong or not 0 < len(invitees.addresses) <= MOST_ADDRESSES:
        raise InvalidInput({ADDRESSES: _problem(invitees)})
    return invitees.addresses


def _problem(invitees: Invitees) -> str:
    if not invitees.wrong:
        return f"Enter 1 to {MOST_ADDRESSES} email addresses."
    wrong = [f"“{one}” ({why_wrong(one)})" for one in invitees.wrong[:MOST_NAMED]]
    return f"Not an email address: {listed(wrong)}."


def _checked_channel(name: str) -> str:
    name = name.strip().removeprefix("#")
    # docs.slack.dev, conversations.create, "Naming"
    if not re.fullmatch(r"[a-z0-9_-]{1,80}", name) or not re.search(r"[a-z0-9]", name):
        wanted = f"Up to {LONGEST_CHANNEL} lowercase letters, numbers, hyphens, and underscores."
        raise InvalidInput({CHANNEL_NAME: wanted})
    return name
