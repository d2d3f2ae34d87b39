"""What Slack shows a person and offers them; anything else raises `NotOfferedError`."""

from collections.abc import Mapping

from sandbox.slack.errors import NotOfferedError
from sandbox.slack.model import Channel, Message, User, View
from sandbox.slack.state import State


class Screen:
    """One person's Slack client, read from the state each time."""

    def __init__(self, state: State, user: User) -> None:
        self.user = user
        self._state = state

    @property
    def is_external(self) -> bool:
        return self._state.is_external(self.user)

    @property
    def view(self) -> View | None:
        """The modal, if one is open."""
        return self._state.modals.get(self.user.id)

    @property
    def home(self) -> View | None:
        """The app's Home; None if the app published nothing.

        External people see "This is still a work in progress" instead, although
        publishing returns `ok` (slackapi/bolt-js#1948).
        """
        if self.is_external and not self._state.doubts.external_sees_home:
            return None
        return self._state.homes.get(self.user.id)

    @property
    def is_offered_home(self) -> bool:
        """Whether to offer the app's Home: Slack shows external people nothing there."""
        visible = not self.is_external or self._state.doubts.external_sees_home
        return self._state.manifest.has_home and visible

    @property
    def ephemerals(self) -> list[Message]:
        """The messages that only this person sees, oldest first."""
        return [each for each in self._state.ephemerals if each.ephemeral_to is self.user]

    @property
    def channels(self) -> list[Channel]:
        """The channels they are a member of, then their direct message with the app."""
        mine = [each for each in self._state.channels.values() if self.user.id in each.members]
        return sorted(mine, key=lambda channel: channel.kind == "im")

    @property
    def commands(self) -> Mapping[str, str]:
        """The slash commands on offer, with their usage hints; none for external people."""
        return {} if self.is_external else self._state.manifest.commands

    @property
    def shortcuts(self) -> Mapping[str, str]:
        """The message shortcuts on offer, by callback_id; none for external people."""
        return {} if self.is_external else self._state.manifest.message_shortcuts

    def messages(self, channel: Channel) -> list[Message]:
        """The channel without its threads, oldest first, with this person's ephemeral messages."""
        return [
            message
            for message in self._all(channel)
            if message.thread_ts is None or message.is_broadcast
        ]

    def thread(self, channel: Channel, ts: str) -> list[Message]:
        """A message and its replies, including ephemeral messages to this person."""
        return [message for message in self._all(channel) if ts in (message.ts, message.thread_ts)]

    def _all(self, channel: Channel) -> list[Message]:
        private = [message for message in self.ephemerals if message.channel is channel]
        return sorted([*channel.messages, *private], key=lambda message: float(message.ts))

    def must_see(self, where: Message | View) -> None:
        """The message, modal or Home is on the screen, and what it shows can be pressed."""
        if isinstance(where, View):
            if not where.is_home:
                self.must_have_open(where)
            # By id: an older Home may be on a screen that isn't up to date yet.
            elif self.home is None or self.home.id != where.id:
                raise NotOfferedError(f"{self.user.real_name} sees no such Home")
            return
        limited = self.user.team in where.channel.limited
        if limited and not self._state.doubts.limited_external_can_press:
            raise NotOfferedError("external members cannot press buttons here")
        if where.is_ephemeral and where.ephemeral_to is not self.user:
            raise NotOfferedError("somebody else's private message")
        if where.is_ephemeral and self._state.ephemeral(where.ts) is None:
            raise NotOfferedError("the private message is gone")
        self.must_be_in(where.channel, even_archived=True)

    def must_be_in(self, channel: Channel, *, even_archived: bool = False) -> None:
        if self.user.id not in channel.members:
            raise NotOfferedError(f"{self.user.real_name} is not in #{channel.name}")
        if channel.is_archived and not even_archived:
            raise NotOfferedError(f"#{channel.name} is archived")

    def must_have_open(self, view: View) -> None:
        if self.view is not view:
            name = self.user.real_name
            raise NotOfferedError(f"{view.title!r} is not the modal that {name} sees")

    def must_own(self, message: Message) -> None:
        if message.user is not self.user:
            raise NotOfferedError("somebody else's message")
