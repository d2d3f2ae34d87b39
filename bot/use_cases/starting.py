"""Starting an onboarding."""

import uuid

from slack_sdk.models.views import View

from bot import onboarding as state
from bot.credentials import clean
from bot.errors import Refused
from bot.mrkdwn import channel_link, escape, link, permalink
from bot.onboarding import Onboarding
from bot.slack import Channel, SlackRefused
from bot.use_cases.base import InvalidInput, Request, UseCase, opened_by
from bot.views import modals
from bot.views.ids import FormRef
from storage import deliveries, onboardings
from storage.database import Conflict
from storage.onboardings import client_key

DIRECT = (
    "This works in the channel that you share with the client, not in a direct message. "
    "Go there and type the command again."
)
NO_NAME = (
    "This looks like the {label}, and a client's name is read by everybody. Nothing was started."
)


class Starting(UseCase):
    """`/servicetitan start`: a form, and its submission."""

    async def form(self, request: Request, client_name: str) -> View:
        """Return the form for a new onboarding in the channel."""
        await self._engineer(request.person)
        name = client_name.strip()
        if len(name) > modals.LONGEST_NAME:
            raise Refused(
                f"That name has {len(name)} characters; a client's name has at most "
                f"{modals.LONGEST_NAME}. Nothing was started."
            )
        _refuse_markup(name)
        if label := await self._value_in(name):
            raise Refused(NO_NAME.format(label=label))
        await self._must_be_free(request.channel, name)
        await self._must_be_member(request.channel)
        person = request.person
        return modals.start_modal(FormRef(request.channel, person.user_id, person.team_id), name)

    async def start(
        self, request: Request, ref: FormRef, *, client_name: str, admins: list[str], engineer: str
    ) -> None:
        """Begin an onboarding."""
        opened_by(request, ref)
        actor = await self._engineer(request.person)
        name = _checked_name(client_name)
        if label := await self._value_in(name):
            raise InvalidInput({"client_name": NO_NAME.format(label=label)})
        engineer = engineer or request.person.user_id
        directory = self._services.directory
        if not await directory.is_engineer(await directory.person(engineer)):
            raise InvalidInput({"engineer": "This person is no HeavySet engineer. Choose another."})
        begun = state.start(
            uuid.uuid4().hex[:16],
            self._services.shelf.newest,
            client_name=name,
            channel=request.channel,
            engineer=engineer,
            client_admins=admins,
            actor=actor,
            now=self._services.clock(),
        )
        await self._begin(request, begun)

    async def _begin(self, request: Request, begun: state.Change) -> None:
        now = begun.onboarding.started_at
        try:
            async with self._services.database.begin() as session:
                await onboardings.add(session, begun)
                await deliveries.claim(session, request.delivery, now)
        except Conflict:
            raise InvalidInput(
                {
                    "client_name": "This client is being onboarded in this channel already. "
                    "Nothing was started."
                }
            ) from None
        self._services.publisher.wake(begun.onboarding.id)

    async def _must_be_free(self, channel: str, name: str) -> None:
        """Refuse the same client twice; who names nobody means the client who is there."""
        services = self._services
        async with services.database.begin(write=False) as session:
            for running in await onboardings.running_in(session, services.shelf, channel):
                if name and client_key(name) != client_key(running.client_name):
                    continue
                raise Refused(
                    f"{escape(running.client_name)} is being onboarded in this channel already "
                    f"({running.finished_steps} of {len(running.steps)} steps done, "
                    f"{self._where(running)}). Nothing was started."
                )

    def _where(self, running: Onboarding) -> str:
        if running.thread_ts is None:
            return channel_link(running.channel)
        url = self._services.slack.identity.url
        return link(permalink(url, running.channel, running.thread_ts), "thread")

    async def _must_be_member(self, channel: str) -> None:
        if channel.startswith("D"):
            raise Refused(DIRECT)
        found = await self._channel(channel)
        if found.is_direct:
            raise Refused(DIRECT)
        if found.is_archived:
            raise Refused("This channel is archived. Take it out of the archive, then try again.")
        if not found.is_member:
            bot = self._services.slack.identity.user_id
            raise Refused(
                f"I am not in this channel yet. Type `/invite <@{bot}>` here, then start again."
            )

    async def _channel(self, channel: str) -> Channel:
        try:
            return await self._services.slack.channel(channel)
        except SlackRefused as error:
            if error.code not in ("channel_not_found", "not_in_channel"):
                raise
            return Channel("", is_member=False, is_direct=False, is_archived=False)


def _checked_name(client_name: str) -> str:
    name = client_name.strip()
    if not clean(name) or len(name) > modals.LONGEST_NAME:
        wanted = f"Please enter the client's name, in at most {modals.LONGEST_NAME} characters."
        raise InvalidInput({"client_name": wanted})
    try:
        _refuse_markup(name)
    except Refused as error:
        raise InvalidInput({"client_name": str(error)}) from error
    return name


def _refuse_markup(name: str) -> None:
    if any(mark in name for mark in "<>"):
        raise Refused("A client's name has no mentions, no links and no < or > in it.")
