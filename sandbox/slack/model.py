"""What the pretend Slack keeps: teams, users, channels, messages, views."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

Json = dict[str, Any]
# Slack's own helper: a user of each workspace that users.info does not call a bot.
SLACKBOT = "USLACKBOT"
ChannelKind = Literal["public", "private", "im"]
Copied = TypeVar("Copied")


def copy_of(value: Copied) -> Copied:
    """Copy JSON, several times as fast as copy.deepcopy, which must handle any object."""
    if isinstance(value, dict):
        return {key: copy_of(each) for key, each in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [copy_of(each) for each in value]  # type: ignore[return-value]
    return value


@dataclass(frozen=True)
class Team:
    """A workspace; `enterprise_id` if it belongs to an Enterprise organization."""

    id: str
    name: str
    domain: str
    enterprise_id: str | None = None

    @property
    def organization_id(self) -> str:
        """The `E…` id of a workspace of an Enterprise organization, else its `T…` id."""
        return self.enterprise_id or self.id


@dataclass(eq=False)
class User:
    """A member of one workspace; unique by (`team.id`, `id`) (docs: user object)."""

    id: str
    name: str
    real_name: str
    team: Team
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    tz: str | None = "America/New_York"  # None: Slack doesn't provide it

    @property
    def email(self) -> str:
        return f"{self.name}@{self.team.domain}.example"


@dataclass(eq=False)
class Channel:
    """A conversation of the home workspace, perhaps shared by Slack Connect."""

    id: str
    name: str
    host: Team
    kind: ChannelKind = "public"
    is_archived: bool = False
    is_migrating: bool = False  # becoming a Slack Connect channel, or back
    members: dict[str, User] = field(default_factory=dict)
    connected: list[Team] = field(default_factory=list)
    messages: list["Message"] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)
    invitations: list["Invitation"] = field(default_factory=list)
    limited: list[Team] = field(default_factory=list)  # teams that may only post
    creator: User | None = None
    created: int = 0

    @property
    def is_ext_shared(self) -> bool:
        """Whether another organization is connected (docs: conversation object)."""
        return any(team.organization_id != self.host.organization_id for team in self.connected)

    @property
    def is_pending_ext_shared(self) -> bool:
        """Whether an invitation to another organization is still open."""
        return any(invitation.is_open for invitation in self.invitations)

    def message(self, ts: str) -> "Message | None":
        """The message with this `ts`, in the channel or in a thread."""
        return next((message for message in self.messages if message.ts == ts), None)

    def remove(self, message: "Message") -> None:
        """Delete the message, and its pin with it."""
        self.messages.remove(message)
        self.deleted.add(message.ts)
        if message.ts in self.pins:
            self.pins.remove(message.ts)

    def thread(self, ts: str) -> list["Message"]:
        """The parent message and its replies, oldest first."""
        return [message for message in self.messages if ts in (message.ts, message.thread_ts)]


@dataclass(eq=False)
class File:
    """A file uploaded by the app; until `completed_at`, it is only a place for an upload."""

    id: str
    name: str
    length: int
    alt_text: str
    content: bytes = b""
    title: str = ""
    completed_at: float | None = None


@dataclass(eq=False)
class Invitation:
    """Someone in another organization invited to a channel, by email address or as a user."""

    id: str
    channel: Channel
    inviter: User
    email: str | None
    user: User | None
    external_limited: bool
    created: int
    status: Literal["pending", "awaiting_approval", "accepted", "declined"] = "pending"
    accepted_by: User | None = None

    @property
    def is_open(self) -> bool:
        return self.status in ("pending", "awaiting_approval")


@dataclass(eq=False)
class Message:
    """A message in its current state; `versions` are its earlier states, oldest first."""

    channel: Channel
    ts: str
    user: User
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    metadata: Json | None = None
    ephemeral_to: User | None = None
    edited_ts: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    subtype: str | None = None
    files: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    versions: list["Message"] = field(default_factory=list)

    @property
    def is_broadcast(self) -> bool:
        """Whether a reply is shown in the channel too."""
        return self.subtype == "thread_broadcast"

    @property
    def is_ephemeral(self) -> bool:
        return self.ephemeral_to is not None

    @property
    def payload(self) -> Json:
        """The payload of the metadata; empty if there is none."""
        payload: Json = (self.metadata or {}).get("event_payload", {})
        return payload

    @property
    def slot(self) -> str | None:
        """The place in the conversation that the metadata names, if any."""
        slot = self.payload.get("slot")
        return slot if isinstance(slot, str) else None

    def snapshot(self) -> "Message":
        """The message as it stays on a screen that doesn't receive later edits."""
        return replace(self, blocks=copy_of(self.blocks), versions=[])

    def to_api(self, *, with_metadata: bool = False) -> Json:
        """The message object in Web API responses, events and payloads."""
        shape: Json = {
            "type": "message",
            "user": self.user.id,
            "ts": self.ts,
            "text": self.text,
            "team": self.user.team.id,
        }
        if self.bot_id:
            shape |= {"bot_id": self.bot_id, "app_id": self.app_id}
        for name in ("subtype", "files", "attachments", "blocks", "thread_ts"):
            if value := getattr(self, name):
                shape[name] = copy_of(value)
        if self.edited_ts and not self.blocks:  # docs: no "edited" flag on messages with blocks
            shape["edited"] = {"user": self.user.id, "ts": self.edited_ts}
        if self.metadata:
            hidden = {"event_type": self.metadata["event_type"]}
            shape["metadata"] = copy_of(self.metadata) if with_metadata else hidden
        if self.reactions:
            shape["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in self.reactions.items()
            ]
        return shape


@dataclass(eq=False)
class View:
    """A modal, or a Home tab, as one person sees it (docs: surfaces/modals)."""

    id: str
    user: User
    content: Json
    hash: str
    typed: dict[tuple[str, str], Json] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        return str(self.content.get("callback_id", ""))

    @property
    def is_home(self) -> bool:
        return self.content.get("type") == "home"

    @property
    def title(self) -> str:
        """The title of a modal; a Home has none."""
        return str(self.content.get("title", {}).get("text", ""))


@dataclass
class Trigger:
    """Permission to open one modal for one person (docs: 3 s, single use)."""

    id: str
    user: User
    expires_at: float
    is_used: bool = False


@dataclass
class ResponseUrl:
    """A URL for responses to a command or a press (docs: 5 uses within 30 minutes)."""

    url: str
    channel: Channel
    user: User
    expires_at: float
    message: Message | None = None
    uses: int = 0
