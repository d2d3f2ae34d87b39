"""users.info and usergroups.users.list."""

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json, User
from sandbox.slack.state import State
from sandbox.slack.web_api.method import Method, method


def users_info(state: State, args: Arguments) -> Json:
    user = state.users.get(args.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": _profile(state, user)}


def usergroup_users(state: State, args: Arguments) -> Json:
    users = state.usergroups.get(args.text("usergroup"))
    if users is None:
        raise SlackError("no_such_subteam")
    return {"users": [user.id for user in users if not user.deleted]}


def _profile(state: State, user: User) -> Json:
    """Home members in full; external ones without email (docs: apis/slack-connect)."""
    shape: Json = {
        "id": user.id,
        "team_id": user.team.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "profile": {"real_name": user.real_name, "display_name": user.name},
    }
    if user.team.enterprise_id:  # docs: user object, on Enterprise Grid
        shape["enterprise_user"] = {
            "id": user.id,
            "enterprise_id": user.team.enterprise_id,
            "teams": [user.team.id],
        }
    if state.is_external(user):
        return shape | {"is_stranger": not _shares_a_channel(state, user)}
    if "users:read.email" in state.app.manifest.scopes:
        shape["profile"]["email"] = f"{user.name}@{user.team.domain}.example"
    return shape | {
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "tz": "America/New_York",
        "tz_offset": -18000,
    }


def _shares_a_channel(state: State, user: User) -> bool:
    return any(user.id in channel.members for channel in state.channels.values())


METHODS: dict[str, Method] = {
    "users.info": method(users_info, "user", scopes=["users:read"], per_minute=100),
    "usergroups.users.list": method(
        usergroup_users, "usergroup", scopes=["usergroups:read"], per_minute=20
    ),
}
