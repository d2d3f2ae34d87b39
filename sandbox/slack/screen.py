"""What Slack shows people and offers them: the same for the page, the terminal and the tests."""

from dataclasses import dataclass

from sandbox.slack.model import Channel, Message, User
from sandbox.slack.state import State


@dataclass(frozen=True)
class Screen:
    """One person's Slack client, read from the state each time."""

    state: State
    user: User

    @property
    def channels(self) -> list[Channel]:
        """The channels they are a member of, then their direct message with the app."""
        mine = [each for each in self.state.channels.values() if self.user.id in each.members]
        return sorted(mine, key=lambda channel: channel.kind == "im")

    @property
    def is_offered_home(self) -> bool:
        """Whether to offer the app's Home: Slack shows external people nothing there."""
        visible = not self.state.is_external(self.user) or self.state.doubts.external_sees_home
        return self.state.app.manifest.has_home and visible

    @property
    def commands(self) -> dict[str, str]:
        """The slash commands on offer, with their usage hints; none for external people."""
        if self.state.is_external(self.user):
            return {}
        app = self.state.app.manifest
        return {command: app.usage_hints.get(command, "") for command in sorted(app.commands)}

    @property
    def shortcuts(self) -> dict[str, str]:
        """The message shortcuts on offer, by callback_id; none for external people."""
        if self.state.is_external(self.user):
            return {}
        return dict(self.state.app.manifest.message_shortcuts)

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
        private = [
            message
            for message in self.state.ephemerals
            if message.ephemeral_to is self.user and message.channel is channel
        ]
        return sorted([*channel.messages, *private], key=lambda message: float(message.ts))
