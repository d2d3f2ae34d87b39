"""Slack's Web API: all calls that the bot makes. This file has messages, views, and files."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.core.errors import Unavailable
from bot.slack.call import next_cursor
from bot.slack.channels import ChannelCalls
from bot.slack.errors import NotInThread, SlackRefused, ignoring, of_response_url, translated
from bot.slack.people import PeopleCalls
from bot.slack.rate_limits import AWAITED
from bot.views.blocks import EVENT_TYPE, Message
from bot.views.forms import View

TIMEOUT_SECONDS = 10
HISTORY_PAGE, HISTORY_PAGES = 200, 5
# Slack rejects requests when clocks differ by more than five minutes, and so do we; one of our
# messages is at most this much older than we think.
CLOCK_SKEW = timedelta(minutes=10)
Blocks = Sequence[Mapping[str, Any]]
# Answers to a press go only to these hosts, whatever a payload says (docs.slack.dev, "Handling user
# interaction", and Slack for governments).
HOOKS = ("https://hooks.slack.com", "https://hooks.slack-gov.com")
SLACKS = re.compile(r"([a-z0-9-]+\.)?slack(-gov)?\.com")


@dataclass(frozen=True, slots=True)
class Written:
    """A message that somebody wrote, in Slack's markup."""

    user_id: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenView:
    """An open modal; its hash changes with its content."""

    id: str
    hash: str


class Slack(ChannelCalls, PeopleCalls):
    """The Web API. Every call raises RateLimited, Unavailable or SlackRefused."""

    async def post(self, channel: str, message: Message, thread_ts: str | None = None) -> str:
        """Post a message and return its ts. After Unavailable it may have been posted.

        Raises NotInThread if it was posted at the top of the channel: reportedly, Slack does that
        with a reply to a deleted message, without an error.
        """
        call = self._client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=list(message.blocks),
            metadata=message.metadata,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )
        answer = await self._call("chat.postMessage", call, channel, ts=str)
        ts, posted = str(answer["ts"]), answer.get("message")
        if thread_ts and isinstance(posted, dict) and not posted.get("thread_ts"):
            raise NotInThread(ts)
        return ts

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours, unless it is gone already."""
        with ignoring("message_not_found"):
            await self._call("chat.delete", self._client.chat_delete(channel=channel, ts=ts))

    async def update(self, channel: str, ts: str, message: Message, share: float = AWAITED) -> None:
        """Edit a message; `share` is what the edit may use of the limit."""
        call = self._client.chat_update(
            channel=channel,
            ts=ts,
            text=message.text,
            blocks=list(message.blocks),
            metadata=message.metadata,
        )
        await self._call("chat.update", call, share=share)

    async def find(
        self, channel: str, message: Message, since: datetime, thread_ts: str | None = None
    ) -> str | None:
        """Return the ts of a message that we may have posted since then; None if we didn't.

        It is found by its metadata, which Slack returns to its own app.
        """
        wanted = (message.onboarding_id, message.slot)
        oldest = str((since - CLOCK_SKEW).timestamp())
        cursor = None
        for _ in range(HISTORY_PAGES):
            answer = await self._read(
                channel,
                thread_ts,
                oldest=oldest,
                limit=HISTORY_PAGE,
                cursor=cursor,
                include_all_metadata=True,
            )
            for posted in answer["messages"]:
                metadata = posted.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                found = (payload.get("onboarding_id"), payload.get("slot"))
                if metadata.get("event_type") == EVENT_TYPE and found == wanted:
                    return str(posted["ts"])
            if not (cursor := next_cursor(answer)):
                break
        return None

    async def message_at(
        self, channel: str, ts: str, thread_ts: str | None = None
    ) -> Written | None:
        """Return the message with this ts in its current wording; None if it is gone."""
        parent = thread_ts if thread_ts != ts else None
        # Slack adds the first message of a thread.
        answer = await self._read(channel, parent, oldest=ts, latest=ts, inclusive=True, limit=2)
        for one in answer["messages"]:
            if one.get("ts") == ts and one.get("subtype") != "tombstone":
                return Written(str(one.get("user", "")), str(one.get("text", "")))
        return None

    async def _read(self, channel: str, thread_ts: str | None, **which: Any) -> AsyncSlackResponse:
        """Read a page of a thread or, without `thread_ts`, of a channel."""
        if thread_ts:
            call = self._client.conversations_replies(channel=channel, ts=thread_ts, **which)
            return await self._call("conversations.replies", call, messages=list)
        call = self._client.conversations_history(channel=channel, **which)
        return await self._call("conversations.history", call, messages=list)

    async def post_ephemeral(
        self,
        channel: str,
        user_id: str,
        text: str,
        *,
        blocks: Blocks = (),
        thread_ts: str | None = None,
    ) -> None:
        """Show one person a message that only they see."""
        call = self._client.chat_postEphemeral(
            channel=channel,
            user=user_id,
            text=text,
            blocks=[dict(block) for block in blocks] or None,
            thread_ts=thread_ts,
        )
        await self._call("chat.postEphemeral", call, channel)

    async def respond(
        self,
        response_url: str,
        text: str,
        *,
        blocks: Blocks = (),
        thread_ts: str | None = None,
        replace: bool = False,
    ) -> None:
        """Respond to a press with its response_url; `replace` replaces the pressed message."""
        if not is_slacks(response_url, self._client.base_url):
            raise SlackRefused("response_url", "not_slacks_address")
        webhook = AsyncWebhookClient(
            response_url,
            session=self._client.session,
            retry_handlers=[],  # only we know what may be repeated
            logger=logging.getLogger("slack_sdk.webhook"),
        )
        webhook.proxy = self._client.proxy  # otherwise slack_sdk looks for one
        body = {
            "text": text,
            "response_type": "ephemeral",
            "replace_original": replace,
            "blocks": list(blocks) or None,
            "thread_ts": thread_ts,
        }
        async with translated("response_url"):
            answer = await webhook.send_dict(body)
        if error := of_response_url(answer):
            raise error

    async def open_view(self, trigger_id: str, view: View) -> OpenView:
        """Open a modal; a trigger works once, within three seconds."""
        call = self._client.views_open(trigger_id=trigger_id, view=view)
        opened: dict[str, Any] = (await self._call("views.open", call)).get("view") or {}
        return OpenView(str(opened.get("id", "")), str(opened.get("hash", "")))

    async def update_view(
        self,
        view: View,
        view_hash: str | None = None,
        *,
        view_id: str | None = None,
        external_id: str | None = None,
    ) -> None:
        """Replace an open view; with its hash, only if it hasn't changed since.

        Only we can have set an `external_id`, so it takes precedence over the `view_id`. Input is
        kept where block_id and action_id stay the same (docs.slack.dev, views.update).
        """
        call = self._client.views_update(
            view=view, external_id=external_id, view_id=view_id, hash=view_hash or None
        )
        await self._call("views.update", call)

    async def publish_home(self, user_id: str, view: View) -> None:
        await self._call("views.publish", self._client.views_publish(user_id=user_id, view=view))

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file without sharing it in a channel, and return its id.

        It takes a moment until messages can show it (docs.slack.dev, working with files).
        """
        call = self._client.files_getUploadURLExternal(filename=name, length=len(content))
        place = await self._call("files.getUploadURLExternal", call, upload_url=str, file_id=str)
        session = self._client.session
        assert session  # noqa: S101 (slack_client sets one; for the type checker)
        async with (
            translated("upload_url"),
            session.post(place["upload_url"], data=content, proxy=self._client.proxy) as response,
        ):
            status = response.status
        if status != 200:
            raise Unavailable(f"upload_url: HTTP {status}")
        files = [{"id": place["file_id"], "title": name}]
        done = self._client.files_completeUploadExternal(files=files)
        await self._call("files.completeUploadExternal", done)
        return str(place["file_id"])


def is_slacks(url: str, api_url: str) -> bool:
    """Whether `url` is on Slack's own host, or on SLACK_API_URL's host if that is a sandbox."""
    api = urlsplit(api_url)
    sandbox = () if SLACKS.fullmatch(api.hostname or "") else (f"{api.scheme}://{api.netloc}",)
    return any(
        re.fullmatch(re.escape(host) + r"/[A-Za-z0-9._~%/-]+", url) for host in (*HOOKS, *sandbox)
    )
