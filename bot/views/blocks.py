"""The Block Kit pieces of our messages and modals, and their plain text."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from textwrap import wrap
from typing import Any, TypeVar, cast

from slack_sdk.models import JsonObject
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    ImageBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.core.mrkdwn import escape, plain
from bot.guide.pictures import Picture
from bot.views.ids import StepRef

EVENT_TYPE = "onboarding_message"
# chat.update refuses a text of more than 4,000 characters (msg_too_long).
LONGEST_TEXT = 3900
LONGEST_SECTION = 3000  # docs.slack.dev, section block
LONGEST_LABEL = 75  # docs.slack.dev, button element
LONGEST_ALT_TEXT = 2000  # docs.slack.dev, image block


Part = TypeVar("Part", bound=JsonObject)


def _attributes(part: JsonObject) -> dict[str, Any]:
    """Return the attributes of a part that are not empty."""
    kind = type(part)
    if kind not in _ATTRIBUTES:
        _ATTRIBUTES[kind] = sorted(part.attributes)
    found: dict[str, Any] = {}
    for name in _ATTRIBUTES[kind]:
        value: Any = getattr(part, name, None)
        if isinstance(value, list | tuple):
            value = [one.to_dict() for one in value]
        elif hasattr(value, "to_dict"):
            value = value.to_dict()
        if value or value is False:
            found[name] = value
    return found


_ATTRIBUTES: dict[type[JsonObject], list[str]] = {}  # slack_sdk rebuilds the set each time


def _quick(part: type[Part]) -> type[Part]:
    """Return `part` without its search for validators, and with a faster attribute list.

    Those took most of the rendering time. In tests, the sandbox checks every message and view
    against Slack's limits.
    """
    members = {"validate_json": lambda _self: None, "get_non_null_attributes": _attributes}
    return cast("type[Part]", type(part.__name__, (part,), members))


_HeaderBlock = _quick(HeaderBlock)
_SectionBlock = _quick(SectionBlock)
_ContextBlock = _quick(ContextBlock)
_ActionsBlock = _quick(ActionsBlock)
_ImageBlock = _quick(ImageBlock)
_ButtonElement = _quick(ButtonElement)
_ConfirmObject = _quick(ConfirmObject)
_MarkdownTextObject = _quick(MarkdownTextObject)
_PlainTextObject = _quick(PlainTextObject)


@dataclass(frozen=True)
class Message:
    """A message as Slack should show it; `slot` is unique per onboarding.

    A message with pictures has a copy `in_words`, for when Slack can't get them. `gist` is what
    has to be up to date right away, if not everything does; `nearly` are digests of the same
    message with an extra, harmless button.
    """

    onboarding_id: str
    slot: str
    blocks: Sequence[dict[str, Any]]
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
        """Whether the message has buttons."""
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
    rendered = [block.to_dict() for block in blocks]
    return Message(onboarding_id, slot, rendered, fallback(rendered), payload)


def header(text: str) -> HeaderBlock:
    """A large line of plain text."""
    return _HeaderBlock(text=_PlainTextObject(text=text, emoji=False))


def section(text: str, accessory: ButtonElement | None = None) -> SectionBlock:
    """A paragraph of mrkdwn."""
    return _SectionBlock(text=_MarkdownTextObject(text=text), accessory=accessory)


def fields(rows: Iterable[tuple[str, str]]) -> SectionBlock:
    """Up to ten names with their values (mrkdwn), side by side if there is room."""
    return _SectionBlock(
        fields=[_MarkdownTextObject(text=f"*{escape(name)}*\n{value}") for name, value in rows]
    )


def context(*texts: str) -> ContextBlock:
    """Small print."""
    return _ContextBlock(elements=[_MarkdownTextObject(text=text) for text in texts])


def image(picture: Picture) -> ImageBlock:
    """A picture with its caption; the alt text is for people who can't see it."""
    title, alt_text = picture.caption, f"{picture.caption}. {picture.shows}".strip()
    if picture.is_schematic:
        title, alt_text = f"{title} (schematic)", f"Schematic, not a screenshot. {alt_text}"
    return _ImageBlock(
        alt_text=alt_text[:LONGEST_ALT_TEXT],
        title=_PlainTextObject(text=f"What you'll see: {title}", emoji=False),
        image_url=picture.url or None,
        slack_file=None if picture.url else {"id": picture.file_id},
    )


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
    accessory: ButtonElement | None = None,
    *,
    most: int | None = None,
) -> Iterator[Block]:
    """Yield a title and a list of mrkdwn lines, in as many sections as Slack's limit needs.

    Beyond `most` lines, the rest is only counted.
    """
    text = title
    for line in map("•  {}".format, lines[:most]):
        if len(text) + 1 + len(line) > LONGEST_SECTION:
            yield section(text, accessory)
            text, accessory = line, None
        else:
            text += f"\n{line}"
    yield section(text, accessory)
    if more := len(lines[most:]) if most is not None else 0:
        yield context(f"and {more} more")


def sections(lines: Iterable[str]) -> Iterator[SectionBlock]:
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
    confirm: ConfirmObject | None = None,
    label: str | None = None,
    url: str | None = None,
) -> ButtonElement:
    """A button; `label` is what a screen reader says if the text alone is not clear.

    Slack opens a `url` itself, and still notifies us about the press.
    """
    return _ButtonElement(
        text=_PlainTextObject(text=text, emoji=False),
        action_id=action_id,
        value=str(value),
        style=style,
        confirm=confirm,
        accessibility_label=label[:LONGEST_LABEL] if label else None,
        url=url,
    )


def confirmation(title: str, text: str, *, yes: str, no: str) -> ConfirmObject:
    """The question that Slack asks before it sends a press."""
    return _ConfirmObject(
        title=_PlainTextObject(text=title[:100]),
        text=_PlainTextObject(text=text[:300]),
        confirm=_PlainTextObject(text=yes),
        deny=_PlainTextObject(text=no),
    )


def actions(buttons: Sequence[ButtonElement]) -> ActionsBlock:
    return _ActionsBlock(elements=list(buttons))


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
