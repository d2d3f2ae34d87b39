"""What messages and modals contain, and what Slack would reject in them."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.onboarding import Onboarding
from bot.publishing.desired import desired
from bot.views import ids
from bot.views.blocks import Message
from bot.views.forms import View
from bot.views.modals import credentials_modal, fields_at
from bot.views.step import step_message
from sandbox.slack.block_kit import problems_of_blocks, problems_of_view
from tests.builders import CHANNEL, CLIENT_ADMIN, CLIENT_TEAM

LONGEST_TEXT = 4000  # chat.update: msg_too_long


def texts(rendered: Any) -> Iterator[str]:
    """Every text that a person reads in blocks or views."""
    if isinstance(rendered, dict):
        if isinstance(rendered.get("text"), str):
            yield rendered["text"]
        for part in rendered.values():
            yield from texts(part)
    elif isinstance(rendered, list | tuple):
        for part in rendered:
            yield from texts(part)


def visible_texts(block: Mapping[str, Any]) -> Iterator[str]:
    """The texts of one block of a message, without its accessory and its confirmation dialogs."""
    parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
    for part in parts:
        yield from texts(part["text"] if part and isinstance(part.get("text"), dict) else part)


def text_objects(rendered: Any, kind: str) -> Iterator[str]:
    """The texts of one kind, `mrkdwn` or `plain_text`."""
    if isinstance(rendered, dict):
        if rendered.get("type") == kind and isinstance(rendered.get("text"), str):
            yield rendered["text"]
        for part in rendered.values():
            yield from text_objects(part, kind)
    elif isinstance(rendered, list | tuple):
        for part in rendered:
            yield from text_objects(part, kind)


def elements(rendered: Any) -> dict[str, dict[str, Any]]:
    """The buttons and inputs of blocks, by action_id."""
    if isinstance(rendered, dict):
        found = {rendered["action_id"]: rendered} if "action_id" in rendered else {}
        return found | {k: v for part in rendered.values() for k, v in elements(part).items()}
    if isinstance(rendered, list | tuple):
        return {k: v for part in rendered for k, v in elements(part).items()}
    return {}


def buttons(message: Message) -> dict[str, str]:
    """The values of a message's buttons, by action_id."""
    return {name: element["value"] for name, element in elements(message.blocks).items()}


def problems(rendered: Message | View) -> list[str]:
    """What Slack would reject."""
    if isinstance(rendered, dict):
        return problems_of_view(rendered)
    found = problems_of_blocks(list(rendered.blocks))
    if not 0 < len(rendered.text) <= LONGEST_TEXT:
        found.append(f"the text has {len(rendered.text)} characters")
    return found


def thread_of(onboarding: Onboarding) -> dict[str, Message]:
    """The messages of an onboarding's thread, by slot."""
    return {message.slot: message for message in desired(onboarding, {})}


def every_message(onboarding: Onboarding) -> dict[str, Message]:
    """The messages of the thread as if every step had been posted, even if undone since."""
    steps = (step_message(onboarding, step.number) for step in onboarding.steps)
    return {message.slot: message for message in steps} | thread_of(onboarding)


def a_form_ref(onboarding: Onboarding, step: int, fields: tuple[str, ...] = ()) -> ids.FormRef:
    """A modal's metadata: where it was opened, and by whom."""
    return ids.FormRef(CHANNEL, CLIENT_ADMIN, CLIENT_TEAM, onboarding.id, step, fields)


def credentials_modal_at(onboarding: Onboarding, step: int, **kwargs: Any) -> View:
    """The form that “Enter securely” opens at a step."""
    ref = a_form_ref(onboarding, step, fields_at(onboarding, step))
    return credentials_modal(onboarding, ref, **kwargs)
