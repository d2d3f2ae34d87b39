"""Why Slack refused to create a channel or invite someone, and what to do about it (pure)."""

from bot.core.mrkdwn import escape
from bot.slack import OPTIONAL_SCOPES

MAKE_IT_YOURSELF = (
    "Create it yourself, share it with the client, `/invite` me, and run `/servicetitan start`."
)


def why_no_channel(code: str, channel_name: str, *, private: bool) -> str:
    if scope := missing_scope(code, private=private):
        return f"Nothing was created.{scope} Until then: {MAKE_IT_YOURSELF}"
    return f"Slack won't let me create #{escape(channel_name)} ({escape(code)}). {MAKE_IT_YOURSELF}"


def missing_scope(code: str, *, private: bool) -> str:
    """Return what to do about a missing scope, empty for other errors."""
    scope = "groups:write" if private else "channels:manage"
    return f" {_lacking(scope)}" if code == "missing_scope" else ""


def _lacking(scope: str) -> str:
    return (
        f"I'm missing the optional scope `{scope}` ({OPTIONAL_SCOPES[scope]}). Your Slack app's "
        "owner can add it under *OAuth & Permissions* at api.slack.com/apps and reinstall the "
        "app."
    )


def why_not_invited(code: str) -> str:
    if code == "missing_scope":
        return _lacking("conversations.connect:write")
    if code in ("connection_limit_exceeded", "connection_limit_exceeded_pending"):
        return "the channel is at Slack's limit for connected organizations."
    if code == "not_paid":
        return "Slack Connect needs a paid plan."
    if code == "invalid_email":
        return "Slack rejected this address."
    if code in ("restricted_action", "no_external_invite_permission", "not_allowed"):
        return "your workspace doesn't let apps send Slack Connect invitations."
    return f"Slack refused ({escape(code)})."
