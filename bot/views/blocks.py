"""The Block Kit pieces of our messages and modals, and their plain text."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.core.mrkdwn import escape, plain

EVENT_TYPE = "onboarding_message"
# chat.update refuses a text of more than 4,000 characters (msg_too_long).
LONGEST_TEXT = 3900


@dataclass(frozen=True)
class Message:
    """A message as Slack should show it; `slot` is unique per onboarding."""

    onboarding_id: str
    slot: str
    blocks: Sequence[dict[str, Any]]
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, Any]:
        """The message metadata; only opaque ids, because other apps in the channel can read it."""
        ours = {"onboarding_id": self.onboarding_id, "slot": self.slot}
        return {"event_type": EVENT_TYPE, "event_payload": {**ours, **self.payload}}

    @property
    def has_buttons(self) -> bool:
        """Whether people act on this message."""
        return any(block["type"] == "actions" for block in self.blocks)

    @cached_property
    def digest(self) -> str:
        """A digest of everything worth an edit: equal digests need no update."""
        content = json.dumps([self.text, self.blocks, self.payload], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def message(onboarding_id: str, slot: str, blocks: Iterable[Block], **payload: Any) -> Message:
    rendered = [block.to_dict() for block in blocks]
    return Message(onboarding_id, slot, rendered, fallback(rendered), payload)


def header(text: str) -> HeaderBlock:
    """A large line of plain text."""
    return HeaderBlock(text=PlainTextObject(text=text, emoji=False))


def section(text: str, accessory: ButtonElement | None = None) -> SectionBlock:
    """A paragraph of mrkdwn."""
    return SectionBlock(text=MarkdownTextObject(text=text), accessory=accessory)


def fields(rows: Iterable[tuple[str, str]]) -> SectionBlock:
    """Up to ten names with their values (mrkdwn), side by side if there is room."""
    return SectionBlock(
        fields=[MarkdownTextObject(text=f"*{escape(name)}*\n{value}") for name, value in rows]
    )


def context(*texts: str) -> ContextBlock:
    """Small print."""
    return ContextBlock(elements=[MarkdownTextObject(text=text) for text in texts])


def bullets(lines: Iterable[str]) -> str:
    """Return plain `lines` as a list."""
    return bullets_of(escape(line) for line in lines)


def bullets_of(lines: Iterable[str]) -> str:
    """Return `lines` of mrkdwn as a list."""
    return "\n".join(f"•  {line}" for line in lines)


def button(
    text: str,
    action_id: str,
    value: str,
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
    label: str | None = None,
    url: str | None = None,
) -> ButtonElement:
    """A button; `label` is what a screen reader says when the text alone is not clear.

    Slack opens a `url` itself, and still tells us about the press.
    """
    return ButtonElement(
        text=PlainTextObject(text=text, emoji=False),
        action_id=action_id,
        value=value,
        style=style,
        confirm=confirm,
        accessibility_label=label,
        url=url,
    )


def actions(buttons: Sequence[ButtonElement]) -> ActionsBlock:
    return ActionsBlock(elements=list(buttons))


def fallback(blocks: Iterable[Mapping[str, Any]]) -> str:
    """Return the plain text of blocks: what notifications show and screen readers read."""
    text = "\n".join(line for block in blocks for line in _lines(block))
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"


def _lines(block: Mapping[str, Any]) -> Iterable[str]:
    if text := block.get("text"):
        yield _words(text)
    for part in block.get("fields", ()):
        name, _, value = _words(part).partition("\n")
        yield f"{name}: {value}"
    if block["type"] == "context":
        yield from (_words(element) for element in block["elements"])
    if block["type"] == "actions":
        names = ", ".join(_words(element["text"]) for element in block["elements"])
        yield f"Buttons: {names}"


def _words(text: Mapping[str, Any]) -> str:
    return escape(text["text"]) if text["type"] == "plain_text" else plain(text["text"])
