"""What happens to a Slack Connect invitation: accepted, approved, declined."""

from sandbox.slack.admin import Admin
from sandbox.slack.change_feed import MemberJoined
from sandbox.slack.errors import NotOfferedError
from sandbox.slack.events import Events
from sandbox.slack.model import Invitation, Json, Team, User
from sandbox.slack.people import Person
from sandbox.slack.state import State

LIFETIME = 14 * 24 * 60 * 60  # as in the docs' example: `date_created` to `date_invalid`


class Invitations:
    """What invited people and their admins do."""

    def __init__(self, state: State, events: Events, admin: Admin) -> None:
        self._state = state
        self._events = events
        self._admin = admin

    async def accept(
        self, invitation: Invitation, who: Person, *, needs_approval: bool = False
    ) -> None:
        """Accept as someone in another workspace, who joins right away or after `approve`."""
        user = who.user
        self._must_be_for(invitation, user)
        invitation.accepted_by = user
        invitation.status = "awaiting_approval"
        await self._tell(
            "accepted", invitation, approval_required=needs_approval, accepting_user=user
        )
        if not needs_approval:
            await self._bring_in(invitation, user)

    async def approve(self, invitation: Invitation) -> None:
        """Let in the person who accepted, as the admin of their workspace."""
        user = invitation.accepted_by
        if invitation.status != "awaiting_approval" or user is None:
            raise NotOfferedError("nothing awaits approval")
        team = user.team.id
        await self._tell("approved", invitation, approving_team_id=team, approving_user=user)
        await self._bring_in(invitation, user)

    async def decline(self, invitation: Invitation, who: Person) -> None:
        """Decline it as the person who was invited."""
        user = who.user
        self._must_be_for(invitation, user)
        invitation.status = "declined"
        team = user.team.id
        await self._tell("declined", invitation, declining_team_id=team, declining_user=user)

    async def _bring_in(self, invitation: Invitation, user: User) -> None:
        channel, team = invitation.channel, user.team
        invitation.status = "accepted"
        if team not in channel.connected:
            if invitation.external_limited:
                channel.limited.append(team)
            await self._admin.share(channel, team)
        self._state.join(channel, user)
        self._state.changed(MemberJoined(user, channel, invitation.inviter))
        await self._events.delivered()

    def _must_be_for(self, invitation: Invitation, user: User) -> None:
        if invitation.status != "pending":
            raise NotOfferedError(f"the invitation is {invitation.status}")
        if not self._state.is_external(user) or invitation.user not in (None, user):
            raise NotOfferedError(f"the invitation is not for {user.real_name}")
        if user.id in invitation.channel.members:
            raise NotOfferedError(f"{user.real_name} is in #{invitation.channel.name} already")

    async def _tell(self, what: str, invitation: Invitation, **fields: User | str | bool) -> None:
        """docs: events/shared_channel_invite_accepted, …_approved, …_declined"""
        channel = invitation.channel
        event: Json = {
            "type": f"shared_channel_invite_{what}",
            "invite": _invite(invitation),
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "is_private": channel.kind == "private",
                "is_im": False,
            },
            "teams_in_channel": [_team(team) for team in channel.connected],
        }
        for name, value in fields.items():
            event[name] = _user(value) if isinstance(value, User) else value
        self._events.send(event, channel)
        await self._events.delivered()


def _invite(invitation: Invitation) -> Json:
    invite: Json = {
        "id": invitation.id,
        "date_created": invitation.created,
        "date_invalid": invitation.created + LIFETIME,
        "inviting_team": _team(invitation.inviter.team),
        "inviting_user": _user(invitation.inviter),
    }
    if invitation.email is not None:
        invite["recipient_email"] = invitation.email
    if invitation.user is not None:
        invite["recipient_user_id"] = invitation.user.id
    return invite


def _team(team: Team) -> Json:
    return {"id": team.id, "name": team.name, "domain": team.domain, "is_verified": False}


def _user(user: User) -> Json:
    profile = {"real_name": user.real_name, "display_name": user.name, "team": user.team.id}
    return {"id": user.id, "team_id": user.team.id, "name": user.name, "profile": profile}
