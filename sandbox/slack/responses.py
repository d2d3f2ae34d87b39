"""Answers to commands and presses: in the acknowledgement, or at the `response_url`."""

from typing import Any

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.messages import delete, new_message, rewrite, show
from sandbox.slack.model import Json, Message, ResponseUrl
from sandbox.slack.state import State
from sandbox.slack.web_api.base import checked_blocks

MOST_USES = 5
ARGUMENTS = (
    "text blocks response_type replace_original delete_original thread_ts "
    "unfurl_links unfurl_media mrkdwn"
)


def use(state: State, path: str, values: Any) -> None:
    """A POST to a `response_url` (docs: interactivity/handling-user-interaction)."""
    answer_to = state.response_urls.get(path)
    if answer_to is None or state.clock() > answer_to.expires_at:
        raise SlackError("expired_url")
    if answer_to.uses >= MOST_USES:
        raise SlackError("used_url")
    if not isinstance(values, dict):
        raise SlackError("invalid_payload")
    answer_to.uses += 1
    respond(state, answer_to, values)


def respond(state: State, answer_to: ResponseUrl, values: Json) -> Message | None:
    """Show the bot's response: only to the person, unless it says `in_channel`."""
    args = Arguments(values)
    args.only(ARGUMENTS)
    if args.flag("delete_original"):
        original = _original(answer_to)
        if original in (*state.ephemerals, *original.channel.messages):
            delete(state, original)
        return None
    text, blocks = args.maybe_text("text") or "", checked_blocks(state, args)
    if not text and not blocks:
        raise SlackError("no_text")
    if args.flag("replace_original"):  # there is no other way to change an ephemeral message
        message = _original(answer_to)
        rewrite(state, message, text, blocks, message.metadata)
        return message
    message = new_message(state, answer_to.channel, text, blocks, args.maybe_text("thread_ts"))
    if values.get("response_type") != "in_channel":
        message.ephemeral_to = answer_to.user
    show(state, message)
    return message


def _original(answer_to: ResponseUrl) -> Message:
    if answer_to.message is None:
        raise SlackError("invalid_payload")
    return answer_to.message
