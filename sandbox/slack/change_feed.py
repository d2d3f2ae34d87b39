"""What happens in the pretend Slack, as told to those who observe it."""

from dataclasses import dataclass

from sandbox.slack.model import Channel, Message, User, View


@dataclass(frozen=True)
class MessagePosted:
    message: Message


@dataclass(frozen=True)
class MessageEdited:
    message: Message
    before: Message


@dataclass(frozen=True)
class MessageDeleted:
    message: Message


@dataclass(frozen=True)
class EphemeralShown:
    """Only `message.ephemeral_to` sees it; it is in no history."""

    message: Message


@dataclass(frozen=True)
class CommandTyped:
    user: User
    channel: Channel
    text: str


@dataclass(frozen=True)
class ElementUsed:
    """A button was pressed, or a menu used, in `where`."""

    user: User
    label: str
    where: Message | View


@dataclass(frozen=True)
class ViewOpened:
    view: View


@dataclass(frozen=True)
class ViewUpdated:
    view: View


@dataclass(frozen=True)
class ViewSubmitted:
    """The person pressed the modal's submit button; `view.typed` holds what they typed."""

    view: View


@dataclass(frozen=True)
class ViewRefused:
    """The modal stays open and shows `view.errors`."""

    view: View


@dataclass(frozen=True)
class ViewClosed:
    view: View


@dataclass(frozen=True)
class HomePublished:
    """The Home of `view.user` shows something new."""

    view: View


@dataclass(frozen=True)
class MemberJoined:
    user: User
    channel: Channel
    inviter: User | None = None


@dataclass(frozen=True)
class MemberLeft:
    user: User
    channel: Channel


@dataclass(frozen=True)
class Noticed:
    """Slack itself tells a person something, such as that the app did not answer."""

    user: User
    text: str


Change = (
    MessagePosted
    | MessageEdited
    | MessageDeleted
    | EphemeralShown
    | CommandTyped
    | ElementUsed
    | ViewOpened
    | ViewUpdated
    | ViewSubmitted
    | ViewRefused
    | ViewClosed
    | HomePublished
    | MemberJoined
    | MemberLeft
    | Noticed
)
