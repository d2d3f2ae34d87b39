"""Slack's text markup: escaping what people wrote, mentions, times. Pure.

Source: docs.slack.dev, "Formatting message text".
"""

import re
from datetime import UTC, datetime

from bot.core.typed_text import UNSEEN


def escape(text: str) -> str:
    """Return `text` so that Slack shows it as it is: no mention, no broadcast, no hidden link.

    What turns the direction of others' words, or shows nothing, is left out.
    """
    return UNSEEN.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(user_id: str) -> str:
    """Return the mention of a person."""
    return f"<@{user_id}>"


def channel_link(channel: str) -> str:
    """Return the link to a channel."""
    return f"<#{channel}>"


def link(url: str, text: str) -> str:
    """Return a link to `url` that reads `text`."""
    return f"<{url}|{escape(text)}>"


def when(moment: datetime) -> str:
    """Return a time that Slack shows in each reader's own time zone.

    “today at 2:18 PM”, or “Nov 23, 2026 at 2:18 PM”: no “on” goes before it.
    """
    utc = moment.astimezone(UTC)
    fallback = utc.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"


def plain(mrkdwn: str) -> str:
    """Return `mrkdwn` without the marks for bold and italics, for a message's fallback text."""
    return re.sub(r"(?<![\w*])([*_])(?=\S)(.+?)(?<=\S)\1(?![\w*])", r"\2", mrkdwn)


def permalink(workspace_url: str, channel: str, ts: str, thread_ts: str | None = None) -> str:
    """Return the address of a message, as chat.getPermalink gives it, without asking Slack.

    `workspace_url` is auth.test's `url`, which ends in a slash.
    """
    address = f"{workspace_url}archives/{channel}/p{ts.replace('.', '')}"
    return f"{address}?thread_ts={thread_ts}&cid={channel}" if thread_ts else address
