"""users.info and usergroups.users.list."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json, User
from sandbox.slack.state import State
from sandbox.slack.web_api.base import method

# Slack's labels for some time zones; for others, the short name is good enough.
ZONES = {
    "America/New_York": "Eastern {} Time",
    "America/Chicago": "Central {} Time",
    "America/Denver": "Mountain {} Time",
    "America/Los_Angeles": "Pacific {} Time",
}


@method("users.info", "user", scopes="users:read", per_minute=100)
def users_info(state: State, args: Arguments) -> Json:
    user = state.users.get(args.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": _user_object(state, user)}


@method("usergroups.users.list", "usergroup", scopes="usergroups:read", per_minute=20)
def usergroup_users(state: State, args: Arguments) -> Json:
    users = state.usergroups.get(args.text("usergroup"))
    if users is None:
        raise SlackError("no_such_subteam")
    return {"users": [user.id for user in users if not user.deleted]}


def _user_object(state: State, user: User) -> Json:
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
    if user.tz and state.knows(user):
        shape |= _time_zone(user.tz, state.clock())
    if state.is_external(user):
        return shape | {"is_stranger": not state.knows(user)}
    if "users:read.email" in state.scopes:
        shape["profile"]["email"] = user.email
    return shape | {
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
    }


def _time_zone(name: str, now: float) -> Json:
    """The time zone in the user object, as of `now` (docs: user object)."""
    at = datetime.fromtimestamp(now, ZoneInfo(name))
    offset, is_summer = at.utcoffset() or timedelta(), bool(at.dst())
    label = ZONES.get(name, at.tzname() or name)
    return {
        "tz": name,
        "tz_label": label.format("Daylight" if is_summer else "Standard"),
        "tz_offset": int(offset.total_seconds()),
    }
