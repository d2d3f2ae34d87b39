"""Calls about people: who we are, users, user groups."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from bot.core.errors import Unavailable
from bot.onboarding.people import SLACKBOT
from bot.slack.call import BaseClient
from bot.slack.rate_limits import AWAITED

GUESTS = ("is_restricted", "is_ultra_restricted")
# docs.slack.dev, user object; the flags of users who may do nothing come first.
FLAGS = (
    *("deleted", "is_bot", "is_workflow_bot", "is_connector_bot", "is_stranger"),
    *GUESTS,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are, from auth.test."""

    team_id: str
    enterprise_id: str | None
    user_id: str
    url: str
    scopes: frozenset[str] = frozenset()
    at: datetime | None = None  # Slack's clock

    @property
    def home(self) -> frozenset[str]:
        """The ids of HeavySet's workspace and, on Enterprise Grid, organization."""
        return frozenset(one for one in (self.team_id, self.enterprise_id) if one)


@dataclass(frozen=True, slots=True)
class User:
    """A person, from users.info; without a team, Slack does not know them.

    `flag` is the first that makes them less than a full member, such as `deleted`.
    """

    team_id: str = ""
    enterprise_id: str | None = None
    flag: str = ""
    timezone: str | None = None
    name: str = ""  # as a mention shows it
    email: str = ""  # needs users:read.email; never for other organizations

    @property
    def full_member(self) -> bool:
        """Whether they are known, active, and neither a guest nor a bot."""
        return bool(self.team_id) and not self.flag

    @property
    def is_person(self) -> bool:
        """Whether they are known, active and not a bot; guests count."""
        return bool(self.team_id) and self.flag in ("", *GUESTS)

    @property
    def organization(self) -> str:
        """The id of their organization on Enterprise Grid (E…), or else of their workspace (T…)."""
        return self.enterprise_id or self.team_id

    def is_home(self, identity: Identity) -> bool:
        """Whether they belong to HeavySet's workspace or organization."""
        return self.team_id in identity.home or self.enterprise_id in identity.home


class PeopleCalls(BaseClient):
    cached_identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        if self.cached_identity is None:
            raise Unavailable("Slack has not answered yet")
        return self.cached_identity

    async def identify(self) -> Identity:
        """Ask Slack who we are, which also checks the token."""
        answer = await self._call("auth.test", self._client.auth_test(), team_id=str, user_id=str)
        self.cached_identity = Identity(
            team_id=answer["team_id"],
            enterprise_id=answer.get("enterprise_id"),
            user_id=answer["user_id"],
            url=answer.get("url", ""),
            scopes=frozenset(filter(None, answer.headers.get("x-oauth-scopes", "").split(","))),
            at=_time(answer.headers.get("Date")),
        )
        return self.cached_identity

    async def user(self, user_id: str, share: float = AWAITED) -> User:
        """Look somebody up; `share` is what the call may use of the method's limit."""
        call = self._client.users_info(user=user_id)
        user = (await self._call("users.info", call, share=share, user=dict))["user"]
        enterprise_id = (user.get("enterprise_user") or {}).get("enterprise_id") or None
        flag = next((flag for flag in FLAGS if user.get(flag)), "")
        profile = user.get("profile") or {}
        return User(
            team_id=user.get("team_id") or enterprise_id or "",
            enterprise_id=enterprise_id,
            flag="is_bot" if user_id == SLACKBOT else flag,  # Slack does not flag its own helper
            timezone=user.get("tz") or None,
            name=profile.get("display_name") or profile.get("real_name") or "",
            email=profile.get("email") or "",
        )

    async def group_members(self, group: str) -> frozenset[str]:
        call = self._client.usergroups_users_list(usergroup=group)
        return frozenset((await self._call("usergroups.users.list", call, users=list))["users"])


def _time(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
