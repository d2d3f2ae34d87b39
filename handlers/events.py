"""The parts of Slack's events that we read (docs.slack.dev, "Events API")."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from pydantic import AliasPath, Field

from bot.onboarding.people import SLACKBOT, Person
from bot.use_cases import Request
from handlers.message_text import shown
from handlers.payloads import Channel, Payload, User, request_key


class SlackEvent(Payload):
    """An event, and the id of its envelope, which stays the same when Slack sends it again."""

    event_id: str = Field(min_length=1)
    type: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        return super().of({**body["event"], "event_id": body.get("event_id")})


class HomeOpened(SlackEvent):
    """Somebody opened the app's Home, or another of its tabs."""

    user: str = Field(min_length=1)
    tab: str = "home"


class ChannelEvent(SlackEvent):
    """An event about a channel, or about somebody in one."""

    channel: str = ""
    user: str = ""
    team: str = ""
    old_channel_id: str = ""
    new_channel_id: str = ""
    is_ext_shared: bool = False

    @property
    def request(self) -> Request:
        channel = self.channel or self.old_channel_id
        key = request_key("event", self.event_id, channel, self.user)
        return Request(Person(self.user, self.team), channel, key)


class InvitationAnswered(SlackEvent):
    """The answer to an invitation (docs.slack.dev, shared_channel_invite_accepted and others)."""

    channel: Channel
    address: str = Field("", validation_alias=AliasPath("invite", "recipient_email"))
    approval_required: bool | None = None
    accepting_user: User | None = None
    approving_user: User | None = None
    declining_user: User | None = None

    @property
    def request(self) -> Request:
        user = self.accepting_user or self.approving_user or self.declining_user
        person = Person(user.id, user.team_id) if user else Person("", "")
        key = request_key("event", self.event_id, self.channel.id)
        return Request(person, self.channel.id, key)


class TokensRevoked(SlackEvent):
    """Whose tokens were revoked: people's, the bot's, or both (docs.slack.dev, tokens_revoked).

    None are named when the app was uninstalled.
    """

    bots: tuple[str, ...] = Field((), validation_alias=AliasPath("tokens", "bot"))


class Deletion(SlackEvent):
    """A deleted message: `message_deleted`, or one with replies that became a tombstone."""

    channel: str = ""
    deleted_ts: str = ""

    @property
    def request(self) -> Request:
        """The channel; Slack doesn't say who deleted the message."""
        key = request_key("event", self.event_id, self.channel, self.deleted_ts)
        return Request(Person("", ""), self.channel, key)


class ThreadMessage(SlackEvent):
    """A message that somebody wrote or edited."""

    channel: str = ""
    user: str = ""
    text: str = ""
    ts: str = ""
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    bot_profile: Mapping[str, Any] | None = None
    team: str = ""
    user_team: str = ""
    same_text: bool = False  # for an edit: only something else changed, such as a preview
    everything: str = ""  # all the text that it shows; for an edit, only what is new

    @property
    def by_a_person(self) -> bool:
        """Whether a person, not an app, wrote it; includes `/me …` and a channel's topic."""
        app = self.bot_id or self.bot_profile is not None or self.user == SLACKBOT
        return bool(self.user) and not app

    @property
    def is_talk(self) -> bool:
        """Whether it is something a person says: not a system message, not a deletion."""
        plain = self.subtype in (None, "", "thread_broadcast", "file_share", "me_message")
        return self.by_a_person and plain

    @property
    def request(self) -> Request:
        """The author and channel. `team` may be the channel host's; `user_team` is the author's."""
        person = Person(self.user, self.user_team or self.team)
        key = request_key("event", self.event_id, self.ts, self.text, self.everything)
        return Request(person, self.channel, key)

    @property
    def as_words(self) -> Request:
        """The request for what the text says: the same one, however often it is edited."""
        return replace(self.request, request_key=request_key("words", self.channel, self.ts))


def read_message(body: Mapping[str, Any]) -> Deletion | ThreadMessage:
    event = body["event"]
    now, before = event.get("message"), event.get("previous_message")
    if event.get("subtype") == "message_deleted":
        return Deletion.of(body)
    if isinstance(now, Mapping) and now.get("subtype") == "tombstone":
        gone = {"channel": event.get("channel"), "deleted_ts": now.get("ts")}
        return Deletion.of({**body, "event": gone})
    if event.get("subtype") != "message_changed":
        return ThreadMessage.of({**body, "event": {**event, "everything": "\n".join(shown(event))}})
    if not isinstance(now, Mapping):
        return ThreadMessage.of({**body, "event": {"subtype": "message_changed"}})
    known = shown(before) if isinstance(before, Mapping) else []
    new = [text for text in shown(now) if text not in known]
    same = isinstance(before, Mapping) and before.get("text") == now.get("text")
    edit = {"channel": event.get("channel"), "same_text": same, "everything": "\n".join(new)}
    return ThreadMessage.of({**body, "event": {**now, **edit}})
