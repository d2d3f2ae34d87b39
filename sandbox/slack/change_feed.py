"""What happens in the pretend Slack, as its observers receive it."""

from dataclasses import dataclass

from sandbox.slack.model import Channel, Message, User, View


class Change:
    """Something that happened."""


@dataclass(frozen=True)
class MessagePosted(Change):
    message: Message


@dataclass(frozen=True)
class MessageEdited(Change):
    """What it was before is the last of `message.versions`."""

    message: Message


@dataclass(frozen=True)
class MessageDeleted(Change):
    message: Message


@dataclass(frozen=True)
class EphemeralShown(Change):
    """Only `message.ephemeral_to` sees it; it is in no history."""

    message: Message


@dataclass(frozen=True)
class CommandTyped(Change):
    user: User
    channel: Channel
    text: str


@dataclass(frozen=True)
class ButtonPressed(Change):
    user: User
    label: str
    where: Message | View


@dataclass(frozen=True)
class ViewShown(Change):
    """A modal was opened, or its content changed."""

    view: View


@dataclass(frozen=True)
class ViewSubmitted(Change):
    """The person pressed the modal's submit button; `view.typed` holds what they typed."""

    view: View


@dataclass(frozen=True)
class ViewRefused(Change):
    """The modal stays open and shows `view.errors`."""

    view: View


@dataclass(frozen=True)
class HomePublished(Change):
    """The Home of `view.user` shows something new."""

    view: View


@dataclass(frozen=True)
class MemberJoined(Change):
    user: User
    channel: Channel
    inviter: User | None = None


@dataclass(frozen=True)
class MemberLeft(Change):
    user: User
    channel: Channel


@dataclass(frozen=True)
class Noticed(Change):
    """Slack itself shows a person a notice, such as that the app did not answer."""

    user: User
    text: str
