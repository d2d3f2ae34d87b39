"""The Block Kit pieces of our messages and modals, as Slack's JSON, and their plain text."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from textwrap import wrap
from typing import Any

from bot.core.mrkdwn import escape, plain
from bot.guide.pictures import Picture
from bot.views.ids import StepRef

EVENT_TYPE = "onboarding_message"
# chat.update refuses a text of more than 4,000 characters (msg_too_long).
LONGEST_TEXT = 3900
LONGEST_SECTION = 3000  # docs.slack.dev, section block
LONGEST_LABEL = 75  # docs.slack.dev, button element
LONGEST_ALT_TEXT = 2000  # docs.slack.dev, image block

# As Slack takes them. In tests, the sandbox checks every message and view against Slack's limits.
Block = dict[str, Any]
Element = dict[str, Any]
# A message that only one person sees, such as the reply to a command.
EphemeralReply = list[Block]


@dataclass(frozen=True)
class Message:
    """A message as Slack should show it; `slot` is unique per onboarding.

    A message with pictures has a copy `in_words`, for when Slack can't get them. `gist` is what
    has to be up to date right away, if not everything does; `nearly` are digests of the same
    message with an extra, harmless button.
    """

    onboarding_id: str
    slot: str
    blocks: Sequence[Block]
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    in_words: "Message | None" = None
    gist: str = ""
    nearly: Sequence[str] = ()

    @property
    def metadata(self) -> dict[str, Any]:
        """The message metadata; only opaque ids, because other apps in the channel can read it."""
        ours = {"onboarding_id": self.onboarding_id, "slot": self.slot}
        return {"event_type": EVENT_TYPE, "event_payload": {**ours, **self.payload}}

    @property
    def has_buttons(self) -> bool:
        return any(block["type"] == "actions" for block in self.blocks)

    @cached_property
    def digest(self) -> str:
        """A digest of everything that is worth an edit: with an equal digest, no update is needed.

        Pictures don't count: a message keeps the ones it shows until something else changes.
        """
        if self.in_words:
            return self.in_words.digest
        content = json.dumps([self.text, self.blocks, self.payload], sort_keys=True)
        whole = hashlib.sha256(content.encode()).hexdigest()
        return f"{self._gist_digest}{whole}" if self.gist else whole

    @property
    def _gist_digest(self) -> str:
        return f"{hashlib.sha256(self.gist.encode()).hexdigest()[:16]}:"

    def can_wait(self, shown: str | None) -> bool:
        """Whether a message with the digest `shown` is good enough for a while."""
        if not shown:
            return False
        return shown in self.nearly or (bool(self.gist) and shown.startswith(self._gist_digest))


def message(onboarding_id: str, slot: str, blocks: Iterable[Block], **payload: Any) -> Message:
    rendered = list(blocks)
    return Message(onboarding_id, slot, rendered, fallback(rendered), payload)


def plain_text(text: str) -> Element:
    return {"type": "plain_text", "text": text, "emoji": False}


def _mrkdwn(text: str) -> Element:
    return {"type": "mrkdwn", "text": text}


def given(**parts: Any) -> dict[str, Any]:
    """Return `parts` without the empty ones, which Slack refuses."""
    return {name: part for name, part in parts.items() if part}


def header(text: str) -> Block:
    """A large line of plain text."""
    return {"type": "header", "text": plain_text(text)}


def section(text: str, accessory: Element | None = None) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": _mrkdwn(text), **given(accessory=accessory)}


def fields(rows: Iterable[tuple[str, str]]) -> Block:
    """Up to ten names with their values (mrkdwn), side by side if there is room."""
    texts = [_mrkdwn(f"*{escape(name)}*\n{value}") for name, value in rows]
    return {"type": "section", "fields": texts}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [_mrkdwn(text)]}


def image(picture: Picture) -> Block:
    """A picture with its caption; the alt text is for people who can't see it."""
    title, alt_text = picture.caption, f"{picture.caption}. {picture.shows}".strip()
    if picture.is_schematic:
        title, alt_text = f"{title} (schematic)", f"Schematic, not a screenshot. {alt_text}"
    source = {"image_url": picture.url} if picture.url else {"slack_file": {"id": picture.file_id}}
    return {
        "type": "image",
        "alt_text": alt_text[:LONGEST_ALT_TEXT],
        "title": plain_text(f"What you'll see: {title}"),
        **source,
    }


def picture_keys(message: Message) -> Sequence[str]:
    """Return the addresses and file ids of a message's pictures."""
    images = (block for block in message.blocks if block["type"] == "image")
    return [one.get("image_url") or one["slack_file"]["id"] for one in images]


def paragraphs(text: str) -> list[str]:
    """Split a long plain text into pieces that each fit in a section.

    A section holds 3,000 characters, and escaping may turn one into five.
    """
    return wrap(text, 550, replace_whitespace=False, drop_whitespace=False)


def bullets(lines: Iterable[str]) -> str:
    """Return plain `lines` as a list."""
    return bullets_of(escape(line) for line in lines)


def bullets_of(lines: Iterable[str]) -> str:
    """Return `lines` of mrkdwn as a list."""
    return "\n".join(f"•  {line}" for line in lines)


def listing(
    title: str,
    lines: Sequence[str],
    accessory: Element | None = None,
    *,
    most: int | None = None,
) -> Iterator[Block]:
    """Yield a title and a list of mrkdwn lines, in as many sections as Slack's limit needs.

    Beyond `most` lines, the rest is only counted.
    """
    text, shown = title, lines[:most]
    for line in map("•  {}".format, shown):
        if len(text) + 1 + len(line) > LONGEST_SECTION:
            yield section(text, accessory)
            text, accessory = line, None
        else:
            text += f"\n{line}"
    yield section(text, accessory)
    if more := len(lines) - len(shown):
        yield context(f"and {more} more")


def sections(lines: Iterable[str]) -> Iterator[Block]:
    """Yield lines of mrkdwn, five in a section."""
    left = iter(lines)
    while five := list(islice(left, 5)):
        yield section("\n".join(five))


def button(
    text: str,
    action_id: str,
    value: str | StepRef,
    *,
    style: str | None = None,
    confirm: Element | None = None,
    label: str = "",
    url: str = "",
) -> Element:
    """A button; `label` is what a screen reader says if the text alone is not clear.

    Slack opens a `url` itself, and still notifies us about the press.
    """
    return {
        "type": "button",
        "text": plain_text(text),
        "action_id": action_id,
        "value": str(value),
        **given(style=style, confirm=confirm, url=url, accessibility_label=label[:LONGEST_LABEL]),
    }


def confirmation(title: str, text: str, *, yes: str, no: str) -> Element:
    """The question that Slack asks before it sends a press."""
    parts = {"title": title[:100], "text": text[:300], "confirm": yes, "deny": no}
    return {name: {"type": "plain_text", "text": part} for name, part in parts.items()}


def actions(buttons: Iterable[Element]) -> Block:
    return {"type": "actions", "elements": list(buttons)}


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
    if block["type"] == "image":
        yield _words(block["title"])
    if block["type"] == "context":
        yield from (_words(element) for element in block["elements"])
    if block["type"] == "actions":
        names = ", ".join(_words(element["text"]) for element in block["elements"])
        yield f"Buttons: {names}"


def _words(text: Mapping[str, Any]) -> str:
    return escape(text["text"]) if text["type"] == "plain_text" else plain(text["text"])
