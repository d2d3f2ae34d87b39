"""What admins and owners do: invite, remove, archive, share, uninstall."""

from sandbox.slack.change_feed import MemberJoined, MemberLeft
from sandbox.slack.events import Events
from sandbox.slack.messages import delete
from sandbox.slack.model import Channel, Json, Message, Team, User
from sandbox.slack.people import Person
from sandbox.slack.state import State


class Admin:
    """Changes to channels and to the installation; the events follow if subscribed."""

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    async def invite(
        self, channel: Channel, who: Person | User, inviter: Person | None = None
    ) -> None:
        """Add a person, or the bot, to the channel."""
        user = _user(who)
        self._state.join(channel, user)
        self._state.changed(MemberJoined(user, channel, inviter.user if inviter else None))
        await self._events.delivered()

    async def remove(self, channel: Channel, who: Person | User) -> None:
        """Take a person, or the bot, out of the channel."""
        user = _user(who)
        del channel.members[user.id]
        self._state.changed(MemberLeft(user, channel))
        if user is self._state.bot:
            self._events.channel_changed(channel, "left")
        await self._events.delivered()

    def remove_from_usergroup(self, usergroup: str, who: Person) -> None:
        """Take a person out of a user group; no event that the bot subscribes to reports it."""
        self._state.usergroups[usergroup].remove(who.user)

    async def delete(self, *messages: Message, told: bool = True) -> None:
        """Delete messages as an owner; unless `told`, as a retention policy: without an event."""
        for message in messages:
            if told:
                delete(self._state, message)
            else:
                message.channel.remove(message)
        await self._events.delivered()

    async def archive(self, channel: Channel, by: Person) -> None:
        channel.is_archived = True
        await self._tell(channel, "archive", user=by.id)

    async def unarchive(self, channel: Channel, by: Person) -> None:
        channel.is_archived = False
        await self._tell(channel, "unarchive", user=by.id)

    def move_workspace(self, *, is_over: bool = False) -> None:
        """Move the workspace into an Enterprise organization; no call works until it `is_over`."""
        self._state.is_moving = not is_over

    async def rename(self, channel: Channel, name: str) -> None:
        channel.name = name
        renamed = {"id": channel.id, "name": name, "created": int(self._state.clock())}
        await self._tell(channel, "rename", channel=renamed)

    async def share(self, channel: Channel, team: Team) -> None:
        """Connect another organization to the channel (docs: events/channel_shared)."""
        if team not in channel.connected:
            channel.connected.append(team)
        await self._tell(channel, "shared", connected_team_id=team.organization_id)

    async def unshare(self, channel: Channel, team: Team) -> None:
        """Disconnect an organization; its people leave with it."""
        channel.connected.remove(team)
        for user in [user for user in channel.members.values() if user.team == team]:
            del channel.members[user.id]
        former = team.organization_id
        shared = channel.is_ext_shared
        await self._tell(
            channel, "unshared", previously_connected_team_id=former, is_ext_shared=shared
        )

    async def change_id(self, channel: Channel) -> None:
        """Give the channel a new id, as sharing an old private one does."""
        old = channel.id
        channel.id = self._state.mint_id("C")
        self._state.channels[channel.id] = self._state.channels.pop(old)
        event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": channel.id}
        self._events.send(event, channel)
        await self._events.delivered()

    async def uninstall(self) -> None:
        """Remove the app from the workspace; its token doesn't work afterward."""
        self._state.is_installed = False
        revoked = {"oauth": [], "bot": [self._state.bot.id]}
        self._events.send({"type": "tokens_revoked", "tokens": revoked})
        self._events.send({"type": "app_uninstalled"})
        await self._events.delivered()

    async def revoke(self, tokens: Json | None) -> None:
        """Report revoked tokens: `oauth` are people's (docs: events/tokens_revoked)."""
        self._events.send({"type": "tokens_revoked", "tokens": tokens})
        await self._events.delivered()

    def decline(self, *scopes: str) -> None:
        """Withhold optional scopes from the app, as the person who installs it may."""
        if strangers := sorted(set(scopes) - self._state.manifest.optional_scopes):
            raise ValueError(f"not optional in the manifest: {', '.join(strangers)}")
        self._state.declined_scopes.update(scopes)

    def grant(self, *scopes: str) -> None:
        """Give the app optional scopes that were declined before."""
        self._state.declined_scopes.difference_update(scopes)

    def reinstall(self) -> None:
        """Install the app again, with the same token."""
        self._state.is_installed = True

    async def _tell(self, channel: Channel, what: str, /, **fields: object) -> None:
        self._events.channel_changed(channel, what, **fields)
        await self._events.delivered()


def _user(who: Person | User) -> User:
    return who.user if isinstance(who, Person) else who
