"""Composition objects: text, confirm, option (docs: reference/block-kit/composition-objects)."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.check_builders import (
    Check,
    flag,
    matching,
    one_of,
    problem,
    record,
    string,
    tagged,
)


def texts(maximum: int) -> dict[str, Check]:
    """The two kinds of text object."""
    words = {"text": string(maximum, 1)}
    return {
        "plain_text": record(words, {"emoji": flag}),
        "mrkdwn": record(words),
    }


def text(maximum: int) -> Check:
    """A `plain_text` or `mrkdwn` object."""
    return tagged(texts(maximum))


def plain_text(maximum: int) -> Check:
    return tagged({"plain_text": texts(maximum)["plain_text"]})


def either(*names: str) -> Check:
    """An object with exactly one of these properties."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if len(value.keys() & set(names)) != 1:
            yield problem(f"must have either {' or '.join(names)}", pointer)

    return check


# The pattern is Slack's (github.com/slackapi/python-slack-sdk/issues/1521).
SLACK_FILE = record(
    {}, {"id": matching("F[A-Z0-9]{8,}"), "url": string(3000, 1)}, either("id", "url")
)
# What image blocks and image elements show.
PICTURE: dict[str, Check] = {"image_url": string(3000, 1), "slack_file": SLACK_FILE}
SOURCE = either("image_url", "slack_file")

CONFIRM = record(
    {},
    {
        "title": plain_text(100),
        "text": text(300),
        "confirm": plain_text(30),
        "deny": plain_text(30),
        "style": one_of("primary", "danger"),
    },
)

OPTION = record({"text": plain_text(75), "value": string(150, 1)})
