"""The parts of Slack's events that we read (docs.slack.dev, "Events API"), and error handling."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Self

from pydantic import Field

from bot.core.errors import Malformed, OnboardingError, Repeated, Unavailable, UnreadableRow
from bot.core.typed_text import as_typed
from bot.onboarding.people import SLACKBOT, Person
from bot.use_cases import Request
from handlers.message_text import shown
from handlers.payloads import Channel, Payload, User, request_key

log = logging.getLogger(__name__)


class HomeOpened(Payload):
    """Somebody opened the app's Home, or another of its tabs."""

    user: str = Field(min_length=1)
    tab: str = "home"


class Envelope(Payload):
    """The envelope of an event; its id stays the same when Slack sends it again."""

    event_id: str = Field(min_length=1)


class ChannelEvent(Payload):
    """An event about a channel, or about somebody in one."""

    channel: str = ""
    user: str = ""
    team: str = ""
    old_channel_id: str = ""
    new_channel_id: str = ""
    is_ext_shared: bool = False

    def request(self, envelope: Envelope) -> Request:
        """The person it is about, and the channel."""
        channel = self.channel or self.old_channel_id
        told = request_key("event", envelope.event_id, channel, self.user)
        return Request(Person(self.user, self.team), channel, told)


class InvitationAnswered(Payload):
    """The answer to an invitation (docs.slack.dev, shared_channel_invite_accepted and others)."""

    class Invite(Payload):
        id: str = ""
        recipient_email: str | None = None

    channel: Channel
    invite: Invite | None = None
    approval_required: bool | None = None
    accepting_user: User | None = None
    approving_user: User | None = None
    declining_user: User | None = None

    def request(self, envelope: Envelope) -> Request:
        """The person who answered, and the channel."""
        user = self.accepting_user or self.approving_user or self.declining_user
        person = Person(user.id, user.team_id) if user else Person("", "")
        told = request_key("event", envelope.event_id, self.channel.id)
        return Request(person, self.channel.id, told)

    @property
    def address(self) -> str:
        """The email address that was invited, if any."""
        return (self.invite and self.invite.recipient_email) or ""


class TokensRevoked(Payload):
    """Whose tokens were revoked: people's, the bot's, or both (docs.slack.dev, tokens_revoked)."""

    class Tokens(Payload):
        """The user ids whose tokens are gone, by the kind of token."""

        bot: tuple[str, ...] | None = None

    tokens: Tokens | None = None

    @property
    def includes_the_bots(self) -> bool:
        return bool(self.tokens and self.tokens.bot)


class Deletion(Payload):
    """A deleted message: `message_deleted`, or one with replies that became a tombstone."""

    channel: str = ""
    deleted_ts: str | None = None

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Self | None:
        """Read a message event; None if nothing was deleted."""
        now = event.get("message")
        if event.get("subtype") == "message_deleted":
            return cls.of(event)
        if isinstance(now, Mapping) and now.get("subtype") == "tombstone":
            return cls.of({"channel": event.get("channel"), "deleted_ts": now.get("ts")})
        return None

    def request(self, envelope: Envelope) -> Request:
        """The channel; Slack doesn't say who deleted the message."""
        told = request_key("event", envelope.event_id, self.channel, self.deleted_ts or "")
        return Request(Person("", ""), self.channel, told)


class ThreadMessage(Payload):
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
    edited: bool = False
    same_text: bool = False  # for an edit: only something else changed, such as a preview
    everything: str = ""

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Self:
        """Read a message event; for an edit, the message's new content.

        `everything` is all the text that it shows; for an edit, only what is new.
        """
        if event.get("subtype") != "message_changed":
            return cls.of({**event, "edited": False, "everything": "\n".join(shown(event))})
        now, before = event.get("message"), event.get("previous_message")
        if not isinstance(now, Mapping):
            return cls.of({"subtype": "message_changed"})
        known = shown(before) if isinstance(before, Mapping) else []
        new = [text for text in shown(now) if text not in known]
        same = isinstance(before, Mapping) and before.get("text") == now.get("text")
        where = {"channel": event.get("channel", ""), "edited": True, "same_text": same}
        return cls.of({**now, **where, "everything": "\n".join(new)})

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
    def plain(self) -> str:
        return as_typed(self.text)

    def request(self, envelope: Envelope) -> Request:
        """The author and channel. `team` may be the channel host's; `user_team` is the author's."""
        person = Person(self.user, self.user_team or self.team)
        written = request_key("event", envelope.event_id, self.ts, self.text, self.everything)
        return Request(person, self.channel, written)

    def as_words(self, request: Request) -> Request:
        """Return the request for what the text says: the same one, however often it is edited."""
        return replace(request, request_key=request_key("words", self.channel, self.ts))


@asynccontextmanager
async def quietly() -> AsyncIterator[None]:
    """Handle errors of an event; nobody is waiting for the outcome.

    Raises only Malformed, and Unavailable, after which Slack sends the event again.
    """
    try:
        yield
    except (Malformed, Unavailable):
        raise
    except Repeated:
        log.info("a repeated event")
    except UnreadableRow:  # already logged
        return
    except OnboardingError as error:
        log.warning("an event was not handled", extra={"reason": str(error)})
    except Exception:
        log.exception("an event failed")
