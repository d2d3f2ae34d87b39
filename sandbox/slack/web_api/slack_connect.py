"""conversations.inviteShared: inviting people from other organizations to a channel."""

import re

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Invitation, Json, User
from sandbox.slack.state import State
from sandbox.slack.web_api.base import find_channel, method, require_member


@method(
    "conversations.inviteShared",
    "channel emails user_ids external_limited",
    scopes="conversations.connect:write",
    per_minute=20,
)
def invite_shared(state: State, args: Arguments) -> Json:
    """Invite one person, who may only post unless the call says otherwise.

    The channel stays as it is until they accept (docs: conversations.inviteShared).
    """
    channel = _channel(state, args.text("channel"))
    email, user = _recipient(state, channel, args)
    invitation = Invitation(
        state.mint_id("I"),
        channel,
        state.bot,
        email,
        user,
        args.flag("external_limited", default=True),
        int(state.clock()),
    )
    channel.invitations.append(invitation)
    answer: Json = {"invite_id": invitation.id, "is_legacy_shared_channel": False}
    if not invitation.external_limited:  # docs: these fields are omitted otherwise
        code = state.mint_id("enQt")
        answer |= {"url": f"https://join.slack.com/share/{code}", "conf_code": code[-6:]}
    return answer


def _channel(state: State, channel_id: str) -> Channel:
    channel = find_channel(state, channel_id)
    if channel.kind == "im":
        raise SlackError("invalid_channel_type")
    if channel.is_archived:
        raise SlackError("channel_archived")
    if channel.host != state.home:
        raise SlackError("not_owner")
    require_member(state, channel)
    return channel


def _recipient(
    state: State, channel: Channel, args: Arguments
) -> tuple[str, None] | tuple[None, User]:
    """The one person invited: by email address, or as a user who is already known."""
    emails, user_ids = args.names("emails"), args.names("user_ids")
    if not emails and not user_ids:
        raise SlackError("recipients_not_specified")
    if len(emails) > 1:
        raise SlackError("too_many_emails")
    if len(emails) + len(user_ids) > 1:
        raise SlackError.because("invalid_arguments", "[ERROR] one recipient at a time")
    if emails:
        return _checked_email(channel, emails[0]), None
    user = state.users.get(user_ids[0])
    if user is None or not state.is_external(user) or not state.knows(user):
        raise SlackError("user_not_found")
    if user.id in channel.members:
        raise SlackError("already_in_channel")
    return None, user


def _checked_email(channel: Channel, email: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email):
        raise SlackError("invalid_email")
    if any(email.lower() == member.email for member in channel.members.values()):
        raise SlackError("already_in_channel")
    return email
