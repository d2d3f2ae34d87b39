"""SlackSandbox: one pretend Slack, ready to be used as an async context manager."""

import math
import time
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Self, TypeVar

import aiohttp

from sandbox.slack.admin import Admin
from sandbox.slack.app import App, Manifest
from sandbox.slack.change_feed import Change
from sandbox.slack.dates import with_dates
from sandbox.slack.delivery import Ack, Courier, Delivery, HttpTransport
from sandbox.slack.events import Events
from sandbox.slack.faults import Fault, Faults, Gate, Predicate
from sandbox.slack.invitations import Invitations
from sandbox.slack.messages import new_message
from sandbox.slack.model import Channel, File, Invitation, Json, Message, Team, User
from sandbox.slack.outages import Outage, Trouble
from sandbox.slack.people import Person
from sandbox.slack.pictures import content_of
from sandbox.slack.rate_limits import RateLimits
from sandbox.slack.server import Call, Server
from sandbox.slack.socket_mode import HandshakeTrouble, LineTrouble, Sockets
from sandbox.slack.state import Doubts, State

ACK_DEADLINE = 3.0
EVENT_RETRIES = (0.0, 60.0, 300.0)  # docs: at once, after a minute, after five more

Found = TypeVar("Found")


class SlackSandbox:
    """A stateful, strict Slack on a loopback port.

    `clock` gives every timestamp and decides when triggers and response_urls expire, so a test can
    freeze it. `latency` delays each Web API answer. Deadlines for acknowledgements and waits for
    retries run in real time. `declined_scopes` are optional ones that were not granted.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        home: str = "HeavySet Tech",
        enterprise_id: str | None = None,
        clock: Callable[[], float] = time.time,
        ack_deadline: float = ACK_DEADLINE,
        event_retries: Sequence[float] = EVENT_RETRIES,
        rate_limits: bool = False,
        latency: float = 0.0,
        declined_scopes: Collection[str] = (),
    ) -> None:
        self.app = App(manifest)
        self.home = Team("T0SBXHOME01", home, _domain(home), enterprise_id)
        self._state = State(self.app, self.home, clock)
        self._deadline = ack_deadline
        self._sockets = Sockets(self._state, ack_deadline)
        self._courier = Courier(self._sockets, lambda: len(self._sockets) > 0, self._state.touch)
        self._events = Events(self._state, self._courier, event_retries)
        self._faults = Faults()
        self.rate_limits = RateLimits(clock, rate_limits)
        self._server = Server(self._state, self._sockets, self._faults, self.rate_limits, latency)
        self.admin = Admin(self._state, self._events)
        self.admin.decline(*declined_scopes)
        self._invitations = Invitations(self._state, self._events, self.admin)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        await self._server.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._events.close()
        await self._server.stop()
        await self._session.close()

    @property
    def api_url(self) -> str:
        """What the bot takes for `https://slack.com/api/`."""
        return f"{self._state.base_url}/api/"

    @property
    def bot_token(self) -> str:
        return self.app.bot_token

    @property
    def app_token(self) -> str:
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.app.signing_secret

    @property
    def bot(self) -> User:
        return self._state.bot

    @property
    def doubts(self) -> Doubts:
        """Switches for what no document settles."""
        return self._state.doubts

    @property
    def calls(self) -> list[Call]:
        """Every Web API call of the bot, oldest first."""
        return self._server.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything sent to the bot, with its acknowledgement, oldest first."""
        return self._courier.deliveries

    @property
    def connections(self) -> int:
        """How many Socket Mode connections are open."""
        return len(self._sockets)

    @property
    def held_connections(self) -> int:
        """How many Socket Mode connections nobody has ended, dead ones among them."""
        return self._sockets.held

    @property
    def channels(self) -> list[Channel]:
        return list(self._state.channels.values())

    @property
    def scopes(self) -> frozenset[str]:
        """What the installation was granted."""
        return self._state.scopes

    @property
    def files(self) -> dict[str, File]:
        """The files of the bot, by id; whoever takes one out has deleted it."""
        return self._state.files

    @property
    def web(self) -> dict[str, bytes]:
        """What the world has to download, by address; the bot's own server is always there."""
        return self._state.web

    def picture(self, image: Json) -> bytes | None:
        """The picture that an image block shows."""
        return content_of(self._state, image)

    @property
    def invitations(self) -> list[Invitation]:
        """Every Slack Connect invitation that the bot has sent, oldest first."""
        return self._state.invitations

    def calls_of(self, method: str) -> list[Call]:
        """The calls of one method, oldest first."""
        return [call for call in self.calls if call.method == method]

    def add_team(self, name: str, enterprise_id: str | None = None) -> Team:
        """A client's workspace."""
        return Team(self._state.mint_id("T"), name, _domain(name), enterprise_id)

    def add_person(
        self,
        name: str,
        team: Team | None = None,
        *,
        is_bot: bool = False,
        is_restricted: bool = False,
        is_ultra_restricted: bool = False,
        deleted: bool = False,
        tz: str | None = "America/New_York",
    ) -> Person:
        """A member of `team`, or of the home workspace; with no `tz`, Slack does not tell it."""
        user = User(
            self._state.mint_id("U"),
            name.lower().replace(" ", "."),
            name,
            team or self.home,
            is_bot,
            is_restricted,
            is_ultra_restricted,
            deleted,
            tz=tz,
        )
        self._state.add_user(user)
        return Person(self._state, self._courier, self._events, user)

    def add_channel(
        self, name: str, *members: Person, private: bool = False, with_bot: bool = True
    ) -> Channel:
        """A channel; members of other workspaces make it a shared one."""
        channel = self._state.add_channel(name, "private" if private else "public")
        for user in [self.bot] if with_bot else []:
            self._state.join(channel, user)
        for person in members:
            self._state.join(channel, person.user)
        return channel

    async def accept_invite(
        self, invitation: Invitation, who: Person, *, needs_approval: bool = False
    ) -> None:
        """Accept an invitation as somebody of another workspace, who then joins the channel.

        With `needs_approval` they join only after `approve_invite`.
        """
        await self._invitations.accept(invitation, who.user, needs_approval=needs_approval)

    async def approve_invite(self, invitation: Invitation) -> None:
        """Let somebody in who accepted, as the administrator of their workspace."""
        await self._invitations.approve(invitation)

    async def decline_invite(self, invitation: Invitation, who: Person) -> None:
        """Turn an invitation down."""
        await self._invitations.decline(invitation, who.user)

    def add_usergroup(self, *members: Person) -> str:
        """A user group of the home workspace; returns its id."""
        usergroup = self._state.mint_id("S")
        self._state.usergroups[usergroup] = [person.user for person in members]
        return usergroup

    @property
    def slackbot(self) -> Person:
        """Slack's own helper, who writes where nobody invited it."""
        return Person(self._state, self._courier, self._events, self._state.slackbot)

    def direct_message(self, person: Person) -> Channel:
        """The direct message between the bot and a person."""
        return self._state.direct_message(person.user)

    def message(self, channel: Channel, slot: str) -> Message | None:
        """The message of the channel whose metadata names this slot, if it was posted."""
        return next((each for each in channel.messages if each.slot == slot), None)

    def put(
        self,
        channel: Channel,
        text: str,
        blocks: Sequence[Json],
        metadata: Json,
        thread_ts: str | None = None,
    ) -> Message:
        """Put a message of the bot's into a channel as if it had been there; no event is sent."""
        message = new_message(self._state, channel, text, list(blocks), thread_ts)
        message.metadata = metadata
        channel.messages.append(message)
        return message

    def deliver_to(self, url: str | Callable[[], str], *, events_verified: bool = True) -> None:
        """Send commands, interactions and events to this URL (unless a socket is connected).

        A function is asked for the URL of each request, as a load balancer would choose.
        Events come once somebody has verified the Request URL in the app's settings.
        """
        self._courier.events_verified = events_verified
        ask = url if callable(url) else lambda: url
        self._courier.http = HttpTransport(
            self._session, ask, self.signing_secret, self._state.clock, self._deadline
        )

    async def post_signed(
        self,
        body: bytes,
        content_type: str,
        *,
        secret: str | None = None,
        timestamp: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Ack:
        """Send any body to the bot; another `secret` or `timestamp` makes it a forgery."""
        if self._courier.http is None:
            raise RuntimeError("deliver_to was not called")
        return await self._courier.http.post(
            body, content_type, secret=secret, timestamp=timestamp, headers=headers
        )

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Ask all Socket Mode clients to reconnect, as Slack does every few hours."""
        await self._sockets.disconnect(reason)

    async def lose_sockets(self, trouble: LineTrouble) -> None:
        """Let every Socket Mode connection be lost in this way."""
        await self._sockets.lose(trouble)

    def fail_handshakes(self, trouble: HandshakeTrouble, times: int = 1) -> None:
        """Let the next attempts to open a Socket Mode connection fail in this way."""
        self._sockets.troubles += [trouble] * times

    async def go_down(self) -> None:
        """Be out of reach: no new connections, and those of Socket Mode are reset."""
        await self._server.go_down()

    async def come_back(self) -> None:
        """Be in reach again, at the same address."""
        await self._server.come_back()

    async def delivered(self) -> None:
        """Wait until every event has been brought to the bot once."""
        await self._events.delivered()

    def fail_next(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        hang: float | None = None,
        drop: bool = False,
        body: str | None = None,
        performed: bool = False,
        times: int = 1,
        predicate: Predicate | None = None,
        location: str | None = None,
    ) -> None:
        """Let the next `times` calls of `method` fail.

        `error`: refused with that code. `status`: an HTTP error, with a web page or with the
        `error`; 429 comes with `retry_after` seconds (1 unless told); with `location`, Slack sends
        the caller there, as it never does. `hang`: silence for so many seconds, then the connection
        drops. `drop`: the connection drops at once. `body`: that in the answer's place, with HTTP
        200 or `status`.
        `performed`: Slack does what was asked before the answer is lost in one of these ways.
        `method` may also be "response_url": the next POST to one.
        `predicate` picks calls by their arguments.
        """
        self._faults.pending.append(
            Fault(
                *(
                    method,
                    error,
                    status,
                    retry_after,
                    hang,
                    drop,
                    body,
                    performed,
                    times,
                    predicate,
                ),
                location=location,
            )
        )

    def outage(
        self,
        *,
        probability: float = 1.0,
        seed: int = 0,
        methods: Collection[str] | None = None,
        troubles: Collection[Trouble] = tuple(Trouble),
        performed: float = 0.5,
        retry_after: int = 1,
        silence: float = 5.0,
        after: float = 0.0,
        lasts: float = math.inf,
    ) -> Outage:
        """Let calls fail at random from `after` seconds on, for as long as it `lasts`.

        `methods` are names of methods, and "response_url"; None: all. `performed` is the share of
        the failing calls that are carried out nevertheless, `silence` how long an unanswered one is
        kept waiting. It ends by the sandbox's clock, by `end()`, or with a `with` block.
        """
        begins = self._state.clock() + after
        outage = Outage(
            self._state.clock,
            probability,
            seed,
            methods,
            troubles,
            performed,
            retry_after,
            silence,
            begins,
            begins + lasts,
        )
        self._faults.sources.append(outage)
        return outage

    def heal(self) -> None:
        """Take back every fault and every outage."""
        self._faults.clear()

    def guard(self, gate: Gate) -> None:
        """Ask `gate` when a call has arrived, and when it was performed but not yet answered.

        While it waits, so does the call; if it says no, the connection is cut there and then.
        """
        self._server.gate = gate

    async def until(
        self,
        look: Callable[[], Found | None],
        timeout: float = 5.0,  # noqa: ASYNC109 - the error names what was awaited
        awaited: str = "something to happen in Slack",
    ) -> Found:
        """What `look` finds, as soon as it finds something true; looks again at every change."""
        return await self._state.until(look, timeout, awaited)

    async def changed(self) -> None:
        """Wait for the next change of anything."""
        await self._state.changed_once()

    def touch(self) -> None:
        """Tell everybody who waits for a change to look again."""
        self._state.touch()

    @property
    def now(self) -> float:
        """What the sandbox's clock shows."""
        return self._state.clock()

    @property
    def people(self) -> list[Person]:
        """Everybody but the bot and Slackbot, in the order in which they were added."""
        return [
            Person(self._state, self._courier, self._events, user)
            for user in self._state.users.values()
            if user not in (self.bot, self._state.slackbot)
        ]

    def dated(self, text: str) -> str:
        """The text as somebody in New York reads it now: its dates in words."""
        return with_dates(text, self._state.clock(), "America/New_York")

    def observe(self, observer: Callable[[Change], None]) -> None:
        """Have `observer` called with every change, as it happens."""
        self._state.observers.append(observer)

    def name_of(self, entity_id: str) -> str:
        """The name to show for the id of a user or a channel."""
        user, channel = self._state.users.get(entity_id), self._state.channels.get(entity_id)
        if user is not None:
            return user.real_name
        return channel.name if channel is not None else entity_id


def _domain(name: str) -> str:
    return "-".join(name.lower().split())
