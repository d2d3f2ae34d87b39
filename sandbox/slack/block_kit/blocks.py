"""The blocks that the bot uses, and their rules (docs: reference/block-kit/blocks)."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.slack.block_kit.check_builders import (
    Check,
    array,
    flag,
    problem,
    record,
    string,
    tagged,
)
from sandbox.slack.block_kit.elements import BUTTON, IMAGE, INPUTS
from sandbox.slack.block_kit.objects import PICTURE, SOURCE, plain_text, text, texts
from sandbox.slack.model import Json, copy_of

MANY = 1000  # Slack publishes no limit for the elements of rich text


def _block(
    required: dict[str, Check], optional: dict[str, Check] | None = None, *rules: Check
) -> Check:
    return record(required, {"block_id": string(255, 1), **(optional or {})}, *rules)


def _section_says_something(value: Any, pointer: str) -> Iterator[str]:
    if not value.keys() & {"text", "fields"}:
        yield problem("must have text or fields", pointer)


_WORDS = tagged({"text": record({"text": string(3000, 1)})})
_PREFORMATTED = record({"elements": array(_WORDS, MANY, minimum=0)})
_BLOCK = tagged(
    {
        "header": _block({"text": plain_text(150)}),
        "section": _block(
            {},
            {
                "text": text(3000),
                "fields": array(text(2000), 10),
                "accessory": tagged({"button": BUTTON, "image": IMAGE}),
            },
            _section_says_something,
        ),
        "context": _block({"elements": array(tagged({**texts(3000), "image": IMAGE}), 10)}),
        # Menus outside of input blocks are not modeled, so they are refused.
        "actions": _block({"elements": array(tagged({"button": BUTTON}), 25)}),
        "divider": _block({}),
        "image": _block(
            {"alt_text": string(2000, 1)}, {"title": plain_text(2000), **PICTURE}, SOURCE
        ),
        "input": _block(
            {"label": plain_text(2000), "element": tagged(INPUTS)},
            {"hint": plain_text(2000), "optional": flag},
        ),
        "rich_text": _block(
            {"elements": array(tagged({"rich_text_preformatted": _PREFORMATTED}), MANY)}
        ),
    }
)


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block."""
    if block.get("type") == "actions":
        elements: list[Json] = block.get("elements", [])
        return elements
    single = block.get("accessory") or block.get("element")
    return [single] if single else []


def problems_of_blocks(blocks: Any, most: int = 50) -> list[str]:
    """What Slack finds wrong with `blocks`; empty if it would accept them, in a message."""
    problems = list(array(_BLOCK, most, minimum=0)(blocks, "/blocks"))
    return problems or list(_problems_between(blocks))


def _problems_between(blocks: list[Json]) -> Iterator[str]:
    """Rules that no block can break by itself; the blocks are well formed."""
    yield from _doubled((block.get("block_id") for block in blocks), "block_id", "/blocks")
    for position, block in enumerate(blocks):
        ids = (element.get("action_id") for element in elements_of(block))
        yield from _doubled(ids, "action_id", f"/blocks/{position}")


def _doubled(ids: Iterator[Any], name: str, pointer: str) -> Iterator[str]:
    for each, times in Counter(ids).items():
        if each is not None and times > 1:
            yield problem(f"{name} {each!r} already exists", pointer)


def with_block_ids(blocks: list[Json], mint: Callable[[], str]) -> list[Json]:
    """The blocks as Slack stores them: each has a `block_id`, each element an `action_id`."""
    stored = copy_of(blocks)
    for block in stored:
        block.setdefault("block_id", mint())
        for element in elements_of(block):
            element.setdefault("action_id", mint())
    return stored
