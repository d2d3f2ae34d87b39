"""SlackSandbox: one pretend Slack, ready to be used as an async context manager."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Self

import aiohttp

from sandbox.slack.admin import Admin
from sandbox.slack.dates import with_dates
from sandbox.slack.delivery import Courier
from sandbox.slack.events import Events
from sandbox.slack.faults import Fault, Gate
from sandbox.slack.invitations import Invitations
from sandbox.slack.manifest import Manifest
from sandbox.slack.model import SLACKBOT, Channel, Message, Team, User
from sandbox.slack.outages import Outage
from sandbox.slack.people import Person
from sandbox.slack.rate_limits import RateLimits
from sandbox.slack.server import Call, Server
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.state import State

ACK_DEADLINE = 3.0
EVENT_RETRIES = (0.0, 60.0, 300.0)  # docs: immediately, after 1 minute, after 5 minutes


class SlackSandbox(State):
    """A stateful, strict Slack on a loopback port; its state is open to tests.

    `clock` gives every timestamp and decides when triggers and response_urls expire, so a test can
    freeze it. `latency` delays each Web API response. Acknowledgement deadlines and waits for
    retries run in real time. `declined_scopes` are optional ones that were not granted.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        enterprise_id: str | None = None,
        clock: Callable[[], float] = time.time,
        ack_deadline: float = ACK_DEADLINE,
        event_retries: Sequence[float] = EVENT_RETRIES,
        rate_limits: bool = False,
        latency: float = 0.0,
        declined_scopes: Collection[str] = (),
    ) -> None:
        home = Team("T0SBXHOME01", "HeavySet Tech", "heavyset-tech", enterprise_id)
        super().__init__(manifest, home, clock)
        self.sockets = Sockets(self, ack_deadline)
        self._courier = Courier(self, self.sockets, ack_deadline)
        self._events = Events(self, self._courier, event_retries)
        self.rate_limits = RateLimits(clock, rate_limits)
        self._server = Server(self, self.sockets, self.rate_limits, latency)
        self.admin = Admin(self, self._events)
        self.admin.decline(*declined_scopes)
        # What tests and other modules use of its parts.
        self.calls = self._server.calls  # every Web API call of the bot, oldest first
        self.deliveries = self._courier.deliveries  # everything sent to the bot, oldest first
        self.post_signed = self._courier.post
        self.delivered = self._events.delivered
        self.go_down, self.come_back = self._server.go_down, self._server.come_back
        invitations = Invitations(self, self._events, self.admin)
        self.accept_invite, self.approve_invite = invitations.accept, invitations.approve
        self.decline_invite = invitations.decline

    async def __aenter__(self) -> Self:
        self._courier.session = aiohttp.ClientSession()
        await self._server.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._events.close()
        await self._server.stop()
        await self._courier.session.close()

    @property
    def api_url(self) -> str:
        """What the bot uses instead of `https://slack.com/api/`."""
        return f"{self.base_url}/api/"

    @property
    def connections(self) -> int:
        """How many Socket Mode connections are open."""
        return len(self.sockets)

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def add_team(self, name: str, enterprise_id: str | None = None) -> Team:
        """A client's workspace."""
        domain = "-".join(name.lower().split())
        return Team(self.mint_id("T"), name, domain, enterprise_id)

    def add_person(self, name: str, team: Team | None = None, **traits: Any) -> Person:
        """A member of `team`, or of the home workspace; `traits` are further fields of `User`."""
        handle = name.lower().replace(" ", ".")
        user = User(self.mint_id("U"), handle, name, team or self.home, **traits)
        self.users[user.id] = user
        return self._person(user)

    def add_channel(
        self, name: str, *members: Person, private: bool = False, with_bot: bool = True
    ) -> Channel:
        """A channel; members from other workspaces make it a shared one."""
        channel = self.create_channel(name, "private" if private else "public")
        for user in [self.bot] if with_bot else []:
            self.join(channel, user)
        for person in members:
            self.join(channel, person.user)
        return channel

    def add_usergroup(self, *members: Person) -> str:
        """A user group of the home workspace; returns its id."""
        usergroup = self.mint_id("S")
        self.usergroups[usergroup] = [person.user for person in members]
        return usergroup

    @property
    def slackbot(self) -> Person:
        """Slack's own helper, which can post where it isn't a member."""
        return self._person(self.users[SLACKBOT])

    def message(self, channel: Channel, slot: str) -> Message | None:
        """The message of the channel whose metadata names this slot, if it was posted."""
        return next((each for each in channel.messages if each.slot == slot), None)

    def deliver_to(self, url: str | Callable[[], str], *, events_verified: bool = True) -> None:
        """Send commands, interactions and events to this URL (unless a socket is connected).

        A function is called for the URL of each request, as a load balancer would choose one.
        Events are delivered only if someone has verified the Request URL in the app's settings.
        """
        self._courier.events_verified = events_verified
        self._courier.url = url if callable(url) else lambda: url

    def fail_next(self, method: str, **how: Any) -> None:
        """Make the next calls of `method` fail; `how` are the fields of `Fault`."""
        self._server.faults.append(Fault(method, **how))

    def outage(self, **how: Any) -> Outage:
        """Make calls fail at random from now on; `how` are the fields of `Outage`."""
        outage = Outage(self.clock, **how)
        self._server.outages.append(outage)
        return outage

    def heal(self) -> None:
        """Let every call work again."""
        self._server.faults.clear()
        self._server.outages.clear()

    def guard(self, gate: Gate) -> None:
        """Call `gate` when a call has arrived, and when it was performed but not yet answered.

        While it waits, so does the call; if it returns False, the connection is cut at that point.
        """
        self._server.gate = gate

    @property
    def people(self) -> list[Person]:
        """Everyone except the bot and Slackbot, in the order in which they were added."""
        return [
            self._person(user)
            for user in self.users.values()
            if user.id not in (self.bot.id, SLACKBOT)
        ]

    def dated(self, text: str) -> str:
        """The text as someone in New York reads it now, with its dates as words."""
        return with_dates(text, self.clock(), "America/New_York")

    def name_of(self, entity_id: str) -> str:
        """The name to show for the id of a user or a channel."""
        user, channel = self.users.get(entity_id), self.channels.get(entity_id)
        if user is not None:
            return user.real_name
        return channel.name if channel is not None else entity_id

    def _person(self, user: User) -> Person:
        return Person(self, self._courier, self._events, user)
