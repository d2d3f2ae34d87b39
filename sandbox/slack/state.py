"""The pretend Slack's memory: who and what exists, and who is notified of changes."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from sandbox.slack.change_feed import Change
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import (
    SLACKBOT,
    Channel,
    ChannelKind,
    File,
    Invitation,
    Message,
    ResponseUrl,
    Team,
    Trigger,
    User,
    View,
)

TRIGGER_LIFETIME = 3.0
RESPONSE_URL_LIFETIME = 30 * 60.0

Found = TypeVar("Found")


@dataclass
class Doubts:
    """What Slack doesn't document about external members and deletions; tests try both ways."""

    ephemeral_reaches_external: bool = True
    bots_read_replies: bool = True
    external_sees_home: bool = False
    limited_external_can_press: bool = True
    # A reply to a deleted message: silently at the channel's top level, as others report; refused;
    # or under the tombstone that is left of it.
    reply_to_deleted: Literal["top", "refused", "tombstone"] = "top"
    # A deleted message with replies: `message_deleted`, or `message_changed` to a tombstone.
    deletion_leaves_tombstone: bool = False


class State:
    """All records of one pretend Slack, the ids it mints, and its observers."""

    # The one app that is installed, and its secrets, all made up.
    app_id, bot_id = "A0SANDBOX01", "B0SANDBOX01"
    bot_token = "xoxb-sandbox-000000000001-bot"
    app_token = "xapp-1-A0SANDBOX01-000000000001-app"
    signing_secret = "5a4db0c5167a5cad2c4ea1ed00000001"

    def __init__(self, manifest: Manifest, home: Team, clock: Callable[[], float]) -> None:
        self.manifest = manifest
        self.home = home
        self.clock = clock
        self.doubts = Doubts()
        self.is_installed = True
        self.is_moving = False  # into an Enterprise organization
        self.declined_scopes: set[str] = set()
        self.base_url = ""
        self.tickets: set[str] = set()  # each is good for one Socket Mode connection
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, list[User]] = {}
        self.ephemerals: list[Message] = []
        self.files: dict[str, File] = {}
        self.web: dict[str, bytes] = {}  # what Slack can download, by address
        self.modals: dict[str, View] = {}  # the open modal of each user
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.observers: list[Callable[[Change], None]] = []
        self._numbers = itertools.count(1)
        self._last_ts = 0
        self._changed = asyncio.Event()
        self.bot = User(self.mint_id("U"), "onboarding", "Onboarding", home, is_bot=True)
        slackbot = User(SLACKBOT, "slackbot", "Slackbot", home)
        self.users |= {self.bot.id: self.bot, SLACKBOT: slackbot}

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes granted to the installation."""
        return self.manifest.scopes - self.declined_scopes

    @property
    def invitations(self) -> list[Invitation]:
        """Every Slack Connect invitation from the bot, oldest first."""
        return [each for channel in self.channels.values() for each in channel.invitations]

    def mint_id(self, prefix: str) -> str:
        return f"{prefix}0SBX{next(self._numbers):06d}"

    def mint_ts(self) -> str:
        """The next `ts`: seconds and microseconds, unique and increasing even on a frozen clock."""
        self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def mint_trigger(self, user: User) -> Trigger:
        trigger_id = f"{next(self._numbers)}.{self.home.id}.{self.mint_id('')}"
        trigger = Trigger(trigger_id, user, expires_at=self.clock() + TRIGGER_LIFETIME)
        self.triggers[trigger_id] = trigger
        return trigger

    def mint_response_url(
        self, channel: Channel, user: User, message: Message | None = None
    ) -> ResponseUrl:
        path = f"/actions/{self.home.id}/{next(self._numbers)}/{self.mint_id('')}"
        expires_at = self.clock() + RESPONSE_URL_LIFETIME
        minted = ResponseUrl(self.base_url + path, channel, user, expires_at, message)
        self.response_urls[path] = minted
        return minted

    def create_channel(self, name: str, kind: ChannelKind) -> Channel:
        prefix = "D" if kind == "im" else "C"
        channel = Channel(
            self.mint_id(prefix),
            name,
            self.home,
            kind,
            connected=[self.home],
            created=int(self.clock()),
        )
        self.channels[channel.id] = channel
        return channel

    def join(self, channel: Channel, user: User) -> None:
        channel.members[user.id] = user
        if user.team not in channel.connected:
            channel.connected.append(user.team)

    def direct_message(self, user: User) -> Channel:
        """The bot's direct message with `user`, created if there is none."""
        for channel in self.channels.values():
            if channel.kind == "im" and user.id in channel.members:
                return channel
        channel = self.create_channel("directmessage", "im")
        self.join(channel, self.bot)
        self.join(channel, user)
        return channel

    def knows(self, user: User) -> bool:
        """Whether the app can know `user`: of the same organization, or in a channel with it."""
        shared = (channel for channel in self.channels.values() if channel.kind != "im")
        return not self.is_external(user) or any(user.id in each.members for each in shared)

    def is_external(self, user: User) -> bool:
        """Whether `user` belongs to an organization other than the installing one."""
        return user.team.organization_id != self.home.organization_id

    def ephemeral(self, ts: str) -> Message | None:
        """The ephemeral message with this `ts`, if it is still there."""
        return next((message for message in self.ephemerals if message.ts == ts), None)

    def changed(self, change: Change) -> None:
        """Notify the observers, and wake everything that waits in `until`."""
        for observer in list(self.observers):
            observer(change)
        self.touch()

    def touch(self) -> None:
        """Let everything that waits in `until` look again."""
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def changed_once(self) -> None:
        await self._changed.wait()

    async def until(
        self,
        look: Callable[[], Found | None],
        timeout: float = 5.0,  # noqa: ASYNC109 - the error names what was awaited
        awaited: str = "something to happen in Slack",
    ) -> Found:
        """The first truthy result of `look`, which is called again after every change."""
        try:
            async with asyncio.timeout(timeout):
                while not (found := look()):
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise TimeoutError(f"waited {timeout:g} s for {awaited}") from None
