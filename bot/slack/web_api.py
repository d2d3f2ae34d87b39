"""Messages, views and people: the calls that every onboarding needs."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.core.errors import Unavailable
from bot.core.metrics import Metrics
from bot.onboarding.people import SLACKBOT
from bot.slack.channels import ChannelCalls
from bot.slack.errors import NotInThread, SlackRefused, of_response_url, translated
from bot.slack.rate_limits import RateLimits
from bot.slack.response_urls import is_slacks
from bot.views.blocks import EVENT_TYPE, Message

TIMEOUT_SECONDS = 10
GUESTS = ("is_restricted", "is_ultra_restricted")
# docs.slack.dev, user object; those of nobody who may act come first.
FLAGS = (
    *("deleted", "is_bot", "is_workflow_bot", "is_connector_bot", "is_stranger"),
    *GUESTS,
)
PAGE = 200
PAGES = 5
# Slack refuses requests of a clock that is five minutes off, and so do we; a message that we posted
# is at most so much older than we thought.
MARGIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are: auth.test's answer."""

    team_id: str
    enterprise_id: str | None
    user_id: str
    url: str
    scopes: frozenset[str] = frozenset()
    at: datetime | None = None  # Slack's clock

    @property
    def home(self) -> frozenset[str]:
        """The ids that tell HeavySet's own people: workspace and, on Grid, organisation."""
        return frozenset(one for one in (self.team_id, self.enterprise_id) if one)


@dataclass(frozen=True, slots=True)
class User:
    """What users.info says about a person; no team: Slack does not know them.

    `flag` is the first that keeps them from being a full member, such as `deleted`.
    """

    team_id: str = ""
    enterprise_id: str | None = None
    flag: str = ""
    timezone: str | None = None

    @property
    def full_member(self) -> bool:
        """Whether they are no guest, no bot, and not deactivated."""
        return bool(self.team_id) and not self.flag

    @property
    def is_person(self) -> bool:
        """Whether somebody is there who may act: no bot, nobody deactivated, no stranger."""
        return bool(self.team_id) and self.flag in ("", *GUESTS)

    @property
    def organization(self) -> str:
        """The id of their organization on Enterprise Grid (E…), else of their workspace (T…)."""
        return self.enterprise_id or self.team_id


@dataclass(frozen=True, slots=True)
class OpenView:
    """A modal that somebody sees; its hash changes whenever it does."""

    id: str
    hash: str


@dataclass(frozen=True, slots=True)
class Written:
    """A message that somebody wrote, in Slack's markup."""

    user_id: str
    text: str


class Slack(ChannelCalls):
    """The calls that the bot makes. Every one raises RateLimited, Unavailable or SlackRefused."""

    def __init__(self, client: AsyncWebClient, metrics: Metrics, rate_limits: RateLimits) -> None:
        """Take a client without retry handlers: only we know what may be repeated."""
        super().__init__(client, metrics, rate_limits)
        self._identity: Identity | None = None

    @property
    def cached_identity(self) -> Identity | None:
        """Who we are, if `identify` has succeeded once."""
        return self._identity

    @property
    def identity(self) -> Identity:
        """Who we are; Unavailable until `identify` has succeeded once."""
        if self._identity is None:
            raise Unavailable("Slack has not answered yet")
        return self._identity

    async def identify(self) -> Identity:
        """Ask Slack who we are, which also checks the token."""
        answer = await self._call("auth.test", self._client.auth_test(), team_id=str, user_id=str)
        self._identity = Identity(
            team_id=answer["team_id"],
            enterprise_id=answer.get("enterprise_id"),
            user_id=answer["user_id"],
            url=answer.get("url", ""),
            scopes=frozenset(filter(None, answer.headers.get("x-oauth-scopes", "").split(","))),
            at=_time(answer.headers.get("Date")),
        )
        return self._identity

    async def post(self, channel: str, message: Message, thread_ts: str | None = None) -> str:
        """Post a message and return its ts. After Unavailable it may have been posted.

        Raises NotInThread if it was posted at the channel's top: others report that Slack does so
        with a reply to a deleted message, and without an error.
        """
        answer = await self._call(
            "chat.postMessage",
            self._client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=list(message.blocks),
                metadata=message.metadata,
                thread_ts=thread_ts,
                unfurl_links=False,
                unfurl_media=False,
            ),
            channel,
            ts=str,
        )
        ts, posted = str(answer["ts"]), answer.get("message")
        if thread_ts and isinstance(posted, dict) and not posted.get("thread_ts"):
            raise NotInThread(ts)
        return ts

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours; one that is gone already does not matter."""
        try:
            await self._call("chat.delete", self._client.chat_delete(channel=channel, ts=ts))
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise

    async def update(self, channel: str, ts: str, message: Message) -> None:
        """Bring a posted message level."""
        await self._call(
            "chat.update",
            self._client.chat_update(
                channel=channel,
                ts=ts,
                text=message.text,
                blocks=list(message.blocks),
                metadata=message.metadata,
            ),
        )

    async def find(
        self, channel: str, message: Message, since: datetime, thread_ts: str | None = None
    ) -> str | None:
        """Return the ts of a message that we may have posted since `since`, None if we did not.

        It is known by its metadata, which Slack returns to its own app.
        """
        async for posted in self._recent(channel, since - MARGIN, thread_ts):
            metadata = posted.get("metadata") or {}
            if metadata.get("event_type") != EVENT_TYPE:
                continue
            payload = metadata.get("event_payload") or {}
            if (payload.get("onboarding_id"), payload.get("slot")) == (
                message.onboarding_id,
                message.slot,
            ):
                return str(posted["ts"])
        return None

    async def message_at(
        self, channel: str, ts: str, thread_ts: str | None = None
    ) -> Written | None:
        """Return the message with this ts, as it reads now; None if it is gone."""
        only: dict[str, Any] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True}
        if thread_ts and thread_ts != ts:
            call = self._client.conversations_replies(ts=thread_ts, limit=2, **only)
            answer = await self._call("conversations.replies", call, channel, messages=list)
        else:
            call = self._client.conversations_history(limit=1, **only)
            answer = await self._call("conversations.history", call, channel, messages=list)
        for one in answer["messages"]:
            if one.get("ts") == ts and one.get("subtype") != "tombstone":
                return Written(str(one.get("user", "")), str(one.get("text", "")))
        return None

    async def whisper(
        self,
        channel: str,
        user_id: str,
        text: str,
        *,
        blocks: Sequence[Mapping[str, Any]] = (),
        thread_ts: str | None = None,
    ) -> None:
        """Tell one person something that only they see."""
        await self._call(
            "chat.postEphemeral",
            self._client.chat_postEphemeral(
                channel=channel,
                user=user_id,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                thread_ts=thread_ts,
            ),
            channel,
        )

    async def open_view(self, trigger_id: str, view: View) -> OpenView:
        """Open a modal for whose trigger this is (three seconds, once)."""
        call = self._client.views_open(trigger_id=trigger_id, view=view)
        opened: dict[str, Any] = (await self._call("views.open", call)).get("view") or {}
        return OpenView(str(opened.get("id", "")), str(opened.get("hash", "")))

    async def update_view(self, view_id: str, view: View, view_hash: str | None = None) -> None:
        """Put another view in the place of an open one; with its hash, only if it is still that.

        What was typed stays where block_id and action_id stay the same (docs: views.update).
        """
        call = self._client.views_update(view_id=view_id, view=view, hash=view_hash or None)
        await self._call("views.update", call)

    async def update_window(
        self, external_id: str, view: View, view_hash: str | None = None
    ) -> None:
        """Replace an open view that has this external_id, which only we can have given it."""
        call = self._client.views_update(external_id=external_id, view=view, hash=view_hash or None)
        await self._call("views.update", call)

    async def publish_home(self, user_id: str, view: View) -> None:
        """Set what somebody sees on the app's Home."""
        await self._call("views.publish", self._client.views_publish(user_id=user_id, view=view))

    async def user(self, user_id: str) -> User:
        """Return what Slack knows of a person."""
        call = self._client.users_info(user=user_id)
        user = (await self._call("users.info", call, user=dict))["user"]
        enterprise_id = (user.get("enterprise_user") or {}).get("enterprise_id") or None
        # Slack does not call its own helper a bot.
        flag = "is_bot" if user_id == SLACKBOT else ""
        return User(
            team_id=user.get("team_id") or enterprise_id or "",
            enterprise_id=enterprise_id,
            flag=flag or next((one for one in FLAGS if user.get(one)), ""),
            timezone=user.get("tz") or None,
        )

    async def group_members(self, group: str) -> frozenset[str]:
        """Return the ids of a user group's members."""
        call = self._client.usergroups_users_list(usergroup=group)
        return frozenset((await self._call("usergroups.users.list", call, users=list))["users"])

    async def _recent(
        self, channel: str, since: datetime, thread_ts: str | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        cursor = None
        for _ in range(PAGES):
            common: dict[str, Any] = {
                "channel": channel,
                "oldest": str(since.timestamp()),
                "limit": PAGE,
                "cursor": cursor,
                "include_all_metadata": True,
            }
            if thread_ts:
                call = self._client.conversations_replies(ts=thread_ts, **common)
                answer = await self._call("conversations.replies", call, messages=list)
            else:
                call = self._client.conversations_history(**common)
                answer = await self._call("conversations.history", call, messages=list)
            for posted in answer["messages"]:
                yield posted
            following: Mapping[str, Any] = answer.get("response_metadata") or {}
            cursor = following.get("next_cursor")
            if not cursor:
                return

    async def respond(
        self,
        response_url: str,
        text: str,
        *,
        blocks: Sequence[Mapping[str, Any]] = (),
        thread_ts: str | None = None,
        replace: bool = False,
    ) -> None:
        """Answer by the response_url of a press; `replace` takes the place of what was pressed."""
        if not is_slacks(response_url, self._client.base_url):
            raise SlackRefused("response_url", "not_slacks_address")
        webhook = AsyncWebhookClient(
            response_url,
            session=self._client.session,
            retry_handlers=[],  # only we know what may be repeated
            logger=logging.getLogger("slack_sdk.webhook"),
        )
        webhook.proxy = self._client.proxy  # and no other: slack_sdk looks for one by itself
        body: dict[str, Any] = {
            "text": text,
            "response_type": "ephemeral",
            "replace_original": replace,
        }
        if blocks:
            body["blocks"] = list(blocks)
        if thread_ts:
            body["thread_ts"] = thread_ts
        async with translated("response_url"):
            answer = await webhook.send_dict(body)
        if error := of_response_url(answer):
            raise error


def _time(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
