"""The conversations.* methods that create channels and bring people into them."""

import re

from sandbox.slack.arguments import Arguments
from sandbox.slack.change_feed import MemberJoined
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json
from sandbox.slack.state import State
from sandbox.slack.web_api.base import (
    find_channel,
    method,
    require_member,
    require_open,
    require_scope,
)

NAME_LIMIT = 80
MOST_INVITED = 100  # some pages of the docs say 1000


@method(
    "conversations.create", "name is_private", scopes="channels:manage groups:write", per_minute=20
)
def create(state: State, args: Arguments) -> Json:
    is_private = args.flag("is_private")
    require_scope(state, "groups:write" if is_private else "channels:manage")
    name = _checked_name(state, args.maybe_text("name") or "")
    channel = state.create_channel(name, "private" if is_private else "public")
    channel.creator = state.bot
    state.join(channel, state.bot)
    return {"channel": conversation(state, channel)}


@method(
    "conversations.invite",
    "channel users force",
    scopes="channels:manage channels:write.invites groups:write groups:write.invites",
)
def invite(state: State, args: Arguments) -> Json:
    """Add people from the workspace; without `force`, all of them or nobody.

    External people are invited with `conversations.inviteShared` instead.
    """
    channel = find_channel(state, args.text("channel"))
    _require_invite_scope(state, channel)
    require_member(state, channel)
    require_open(channel)
    user_ids = args.names("users")
    if not user_ids:
        raise SlackError("no_user")
    if len(user_ids) > MOST_INVITED:
        raise SlackError("too_many_users")
    refused = {each: error for each in user_ids if (error := _refusal(state, channel, each))}
    errors: list[Json] = [
        {"user": each, "ok": False, "error": error} for each, error in refused.items()
    ]
    welcome = [each for each in user_ids if each not in refused]
    if errors and (not args.flag("force") or not welcome):
        raise SlackError(errors[0]["error"], errors=errors)
    for user_id in welcome:
        state.join(channel, state.users[user_id])
        state.changed(MemberJoined(state.users[user_id], channel, state.bot))
    answer: Json = {"channel": conversation(state, channel)}
    return answer | ({"errors": errors} if errors else {})


def conversation(state: State, channel: Channel) -> Json:
    """The conversation object, with what Slack Connect adds (docs: conversation object)."""
    asked = [each.user.team.id for each in channel.invitations if each.is_open and each.user]
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_im": channel.kind == "im",
        "is_mpim": False,
        "is_private": channel.kind != "public",
        "is_archived": channel.is_archived,
        "is_member": state.bot.id in channel.members,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": channel.is_pending_ext_shared,
        "created": channel.created,
        "creator": channel.creator.id if channel.creator else "",
        "conversation_host_id": channel.host.enterprise_id or channel.host.id,
        "context_team_id": state.home.id,
        "shared_team_ids": [team.id for team in channel.connected],
        "internal_team_ids": [channel.host.id],
        "connected_team_ids": [team.id for team in channel.connected if team != channel.host],
        "connected_limited_team_ids": [team.id for team in channel.limited],
        "pending_shared": asked,
        "pending_connected_team_ids": asked,
    }


def _checked_name(state: State, name: str) -> str:
    """Lowercase letters, digits, hyphens, underscores; names of archived channels are taken too."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > NAME_LIMIT:
        raise SlackError("invalid_name_maxlength")
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise SlackError("invalid_name_specials")
    if not re.search(r"[a-z0-9]", name):
        raise SlackError("invalid_name_punctuation")
    if any(name == channel.name for channel in state.channels.values()):
        raise SlackError("name_taken")
    return name


def _require_invite_scope(state: State, channel: Channel) -> None:
    match channel.kind:
        case "public":
            require_scope(state, "channels:manage", "channels:write.invites")
        case "private":
            require_scope(state, "groups:write", "groups:write.invites")
        case "im":
            raise SlackError("method_not_supported_for_channel_type")


def _refusal(state: State, channel: Channel, user_id: str) -> str | None:
    """Why this user cannot be added; None if they can."""
    user = state.users.get(user_id)
    if user is None or not state.knows(user):
        return "user_not_found"
    if user is state.bot:
        return "cant_invite_self"
    if user.id in channel.members:
        return "already_in_channel"
    if state.is_external(user):
        return "no_external_invite_permission"
    return "cant_invite" if user.deleted else None
