"""The Events API: what happened, sent to the bot if its manifest subscribes to it."""

import asyncio
from collections.abc import Sequence

from sandbox.slack.change_feed import (
    Change,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
)
from sandbox.slack.delivery import Courier, Outgoing
from sandbox.slack.model import SLACKBOT, Channel, Json, Message, Team
from sandbox.slack.payloads import event_callback
from sandbox.slack.state import State

# What events call each kind of channel: in subscriptions to its messages, and when people join
# or leave.
_KINDS = {
    "public": ("channel", "message.channels", "C"),
    "private": ("group", "message.groups", "G"),
    "im": ("im", "message.im", "D"),
}
# Messages that name no team: slackapi/slack-api-specs#62, bolt-js#435, bolt-python#708.
_WITHOUT_TEAM = ("file_share", "thread_broadcast")
# Private channels have their own names for these (docs: events/group_archive).
_GROUP_EVENTS = ("archive", "unarchive", "rename", "deleted", "left")


class Events:
    """Observes the changes, and delivers the events that result from them."""

    def __init__(self, state: State, courier: Courier, retry_delays: Sequence[float]) -> None:
        self._state = state
        self._courier = courier
        self._retry_delays = retry_delays
        self._tasks: set[asyncio.Task[None]] = set()
        self._first_attempts: set[asyncio.Future[None]] = set()
        state.observers.append(self.observe)

    def observe(self, change: Change) -> None:
        """Send the event that results from `change`, if any."""
        match change:
            case MessagePosted(message):
                self._message(message, self._posted(message))
            case MessageEdited(message):
                event: Json = {"ts": message.edited_ts, "message": message.to_api()}
                self._message(message, _hidden(message.versions[-1], "message_changed") | event)
            case MessageDeleted(message):
                gone = _hidden(message, "message_deleted") | {"deleted_ts": message.ts}
                replies = message.channel.thread(message.ts)
                if replies and self._state.doubts.deletion_leaves_tombstone:
                    left = _tombstone(message.ts)
                    gone = _hidden(message, "message_changed") | {"message": left}
                self._message(message, gone)
            case MemberJoined(user, channel, inviter):
                event = {"type": "member_joined_channel", "user": user.id}
                event |= {"inviter": inviter.id} if inviter else {}
                self._membership(channel, event, user.team)
            case MemberLeft(user, channel):
                event = {"type": "member_left_channel", "user": user.id}
                self._membership(channel, event, user.team)

    def _membership(self, channel: Channel, event: Json, team: Team) -> None:
        """A join or leave; sent where the bot is a member, and about the bot itself."""
        if self._hears(channel) or event["user"] == self._state.bot.id:
            event |= {
                "channel": channel.id,
                "channel_type": _KINDS[channel.kind][2],
                "team": team.id,
            }
            self.send(event, channel)

    def channel_changed(self, channel: Channel, what: str, /, **fields: object) -> None:
        """Send `channel_archive` and the like; `group_…` for private channels."""
        family = "group" if channel.kind == "private" and what in _GROUP_EVENTS else "channel"
        self.send({"type": f"{family}_{what}", "channel": channel.id, **fields}, channel)

    def send(
        self,
        event: Json,
        channel: Channel | None = None,
        *,
        subscription: str | None = None,
        team: Team | None = None,
    ) -> None:
        """Deliver in the background, if subscribed; a failed delivery is retried three times."""
        if (subscription or event["type"]) not in self._state.manifest.bot_events:
            return
        event.setdefault("event_ts", self._state.mint_ts())
        payload = event_callback(self._state, event, channel, team)
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._first_attempts.add(first)
        task = asyncio.create_task(self._deliver(payload, first))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def delivered(self) -> None:
        """Show people what has happened, and wait until each event was delivered once."""
        self._state.touch()
        while self._first_attempts:
            await asyncio.gather(*self._first_attempts)

    async def close(self) -> None:
        """Give up on what has not been delivered yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, payload: Json, first: asyncio.Future[None]) -> None:
        try:
            ack = await self._courier.send(Outgoing("events_api", payload))
        finally:
            self._first_attempts.discard(first)
            first.set_result(None)
        for retry_num, delay in enumerate(self._retry_delays, start=1):
            if ack.ok or not ack.retry:
                return
            await asyncio.sleep(delay)
            again = Outgoing("events_api", payload, retry_num, ack.failure or "unknown_error")
            ack = await self._courier.send(again)

    def _message(self, message: Message, event: Json) -> None:
        channel = message.channel
        if self._hears(channel) and not message.is_ephemeral:
            name, subscription, _ = _KINDS[channel.kind]
            event |= {"channel": channel.id, "channel_type": name}
            self.send(event, channel, subscription=subscription, team=message.user.team)

    def _posted(self, message: Message) -> Json:
        event = message.to_api() | {"event_ts": message.ts}
        if message.files and message.channel.is_ext_shared:
            event["files"] = [_file_to_be_asked_for(file) for file in message.files]
        if message.subtype in _WITHOUT_TEAM or message.user.id == SLACKBOT:
            del event["team"]
        elif message.subtype == "bot_message":  # it has no user (docs: events/message/bot_message)
            event["username"] = message.user.name
            del event["user"], event["team"]
        elif self._state.is_external(message.user):
            event["user_team"] = event["source_team"] = message.user.team.organization_id
        return event

    def _hears(self, channel: Channel) -> bool:
        return self._state.bot.id in channel.members


def _file_to_be_asked_for(file: Json) -> Json:
    """A file in a shared channel as events have it (docs: apis/slack-connect, files)."""
    return {"id": file["id"], "mode": "file_access", "file_access": "check_file_info"}


def _tombstone(ts: str) -> Json:
    return {
        "type": "message",
        "subtype": "tombstone",
        "user": SLACKBOT,
        "text": "This message was deleted.",
        "hidden": True,
        "ts": ts,
        "thread_ts": ts,
    }


def _hidden(before: Message, subtype: str) -> Json:
    """What events of a changed message have in common."""
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "ts": before.ts,
        "previous_message": before.to_api(),
    }
