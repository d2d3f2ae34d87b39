"""The limits of Block Kit, each tripped once (docs: reference/block-kit)."""

import json
from typing import Any

import aiohttp
import pytest

from sandbox.slack import Channel, SlackSandbox
from sandbox.slack.block_kit import problems_of_blocks, problems_of_view
from tests.stub_bot import StubBot

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(**changes: Any) -> Json:
    return {"type": "button", "action_id": "go", "text": plain("Go"), **changes}


def actions(*elements: Json, **changes: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **changes}


def section(**changes: Any) -> Json:
    return {"type": "section", "text": mrkdwn("hello"), **changes}


def text_input(**changes: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": "a", **changes}
    return {"type": "input", "block_id": "a", "label": plain("A"), "element": element}


def option(value: str = "1") -> Json:
    return {"text": plain(value), "value": value}


def select(**changes: Any) -> Json:
    return choice(type="static_select", **changes)


def choice(**changes: Any) -> Json:
    element = {"action_id": "s", "options": [option()], **changes}
    return {"type": "input", "label": plain("S"), "element": element}


def modal(*blocks: Json, **changes: Any) -> Json:
    return {"type": "modal", "title": plain("T"), "blocks": list(blocks), **changes}


VALID = [
    {"type": "header", "text": plain("x" * 150)},
    section(text=mrkdwn("x" * 3000), accessory=button()),
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    {"type": "context", "elements": [mrkdwn("x")] * 10},
    actions(*(button(action_id=f"a{number}") for number in range(25))),
    {"type": "divider"},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    select(initial_option=option()),
]
INVALID = {
    "type that is a list": [{"type": ["divider"]}],
    "a header of 151 characters": [{"type": "header", "text": plain("x" * 151)}],
    "a header in mrkdwn": [{"type": "header", "text": mrkdwn("x")}],
    "a section of 3,001 characters": [section(text=mrkdwn("x" * 3001))],
    "an empty text": [section(text=mrkdwn(""))],
    "an empty section": [{"type": "section"}],
    "eleven fields": [section(fields=[mrkdwn("x")] * 11)],
    "a field of 2,001 characters": [section(fields=[mrkdwn("x" * 2001)])],
    "eleven context elements": [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    "26 elements": [actions(*(button(action_id=f"a{number}") for number in range(26)))],
    "no elements": [actions()],
    "a button text of 76 characters": [actions(button(text=plain("x" * 76)))],
    "a button text in mrkdwn": [actions(button(text=mrkdwn("Go")))],
    "a button value of 2,001 characters": [actions(button(value="x" * 2001))],
    "an unknown style": [actions(button(style="default"))],
    "a misspelled property": [actions(button(stile="primary"))],
    "an accessibility label of 76 characters": [actions(button(accessibility_label="x" * 76))],
    "a confirmation title of 101 characters": [
        actions(button(confirm={"title": plain("x" * 101)}))
    ],
    "a duplicate action_id in a block": [actions(button(), button())],
    "an action_id of 256 characters": [actions(button(action_id="x" * 256))],
    "a duplicate block_id": [section(block_id="x"), section(block_id="x")],
    "a block_id of 256 characters": [section(block_id="x" * 256)],
    "51 blocks": [section()] * 51,
    "101 options": [select(options=[option(str(number)) for number in range(101)])],
    "an initial option that is not offered": [select(initial_option=option("2"))],
    "an option value of 151 characters": [select(options=[option("x" * 151)])],
    "eleven checkboxes": [choice(type="checkboxes", options=[option()] * 11)],
    "a menu outside of an input": [actions(select()["element"])],
    "an image without alt_text": [{"type": "image", "image_url": "https://example.com/a.png"}],
    "an unsupported block type": [{"type": "carousel", "elements": []}],
}
INVALID_VIEWS = {
    "no title": {"type": "modal", "blocks": []},
    "a title of 25 characters": modal(title=plain("x" * 25)),
    "a submit text of 25 characters": modal(submit=plain("x" * 25)),
    "an input without submit": modal(text_input()),
    "private_metadata of 3,001 characters": modal(private_metadata="x" * 3001),
    "a callback_id of 256 characters": modal(callback_id="x" * 256),
    "101 blocks": modal(*[section()] * 101),
    "a maximum length of 3,001": modal(text_input(max_length=3001), submit=plain("Go")),
    "a placeholder of 151 characters": modal(
        text_input(placeholder=plain("x" * 151)), submit=plain("Go")
    ),
    "a masked input": modal(text_input(type="password_input"), submit=plain("Go")),
    "a misspelled property": modal(sumbit=plain("Go")),
}


@pytest.mark.parametrize("block", VALID, ids=lambda block: block["type"])
def test_blocks_within_the_limits_are_accepted(block: Json) -> None:
    assert problems_of_blocks([block]) == []


@pytest.mark.parametrize("blocks", INVALID.values(), ids=INVALID.keys())
def test_invalid_blocks_are_refused_in_a_message(blocks: list[Json]) -> None:
    assert problems_of_blocks(blocks)


@pytest.mark.parametrize("view", INVALID_VIEWS.values(), ids=INVALID_VIEWS.keys())
def test_an_invalid_modal_is_refused(view: Json) -> None:
    assert problems_of_view(view)


def test_a_modal_within_the_limits_is_accepted() -> None:
    view = modal(text_input(), *[section()] * 99, submit=plain("x" * 24))

    assert problems_of_view(view) == []


async def test_a_refusal_includes_a_json_pointer_to_the_invalid_text(
    bot: StubBot, channel: Channel
) -> None:
    blocks = [section(), section(text=mrkdwn("x" * 3001))]

    answer = await bot.call("chat.postMessage", channel=channel.id, text="x", blocks=blocks)

    assert answer["error"] == "invalid_blocks"
    (message,) = answer["response_metadata"]["messages"]
    assert message == "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"


@pytest.mark.parametrize(
    ("argument", "content", "error"),
    [
        ("blocks", [{"type": "divider"}], None),
        ("message", {"blocks": [{"type": "divider"}]}, None),
        ("message", {"blocks": [{"type": "header"}]}, "invalid_message"),
        ("blocks", [{"type": "nonsense"}], "invalid_blocks"),
        ("view", {"type": "modal", "blocks": []}, "invalid_view"),
    ],
)
async def test_blocks_validate_needs_no_token_and_reports_errors(
    slack: SlackSandbox, argument: str, content: Any, error: str | None
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{slack.api_url}blocks.validate", data={argument: json.dumps(content)}
        ) as response,
    ):
        answer = await response.json()

    assert answer.get("error") == error
    assert answer["ok"] is (error is None)
    assert all({"pointer", "code", "message"} <= error.keys() for error in answer.get("errors", []))
