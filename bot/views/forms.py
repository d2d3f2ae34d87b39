"""The parts of all modals: a form, its inputs, plain texts."""

from collections.abc import Iterable, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextObject,
    UserSelectElement,
)
from slack_sdk.models.views import View

from bot.views.ids import ENGINEER, FormRef


def form(
    title: str,
    callback_id: str,
    ref: FormRef,
    blocks: Sequence[Block],
    *,
    submit: str,
    close: str = "Cancel",
) -> View:
    """Return a modal that is filled in and submitted."""
    return View(
        type="modal",
        callback_id=callback_id,
        title=plain_text(title),
        submit=plain_text(submit),
        close=plain_text(close),
        private_metadata=ref.dump(),
        blocks=list(blocks),
    )


def notice(title: str, blocks: Iterable[Block], ref: FormRef | None = None) -> View:
    """Return a modal that only shows something, with nothing to submit; `ref` if it has buttons."""
    return View(
        type="modal",
        title=plain_text(title),
        close=plain_text("Close"),
        private_metadata=ref.dump() if ref else None,
        blocks=list(blocks),
    )


def entry(
    label: str, element: Any, *, hint: str | None = None, optional: bool = False
) -> InputBlock:
    """An input whose block_id equals its element's action_id, so that errors find it."""
    return InputBlock(
        block_id=element.action_id,
        label=plain_text(label),
        element=element,
        hint=plain_text(hint) if hint else None,
        optional=optional,
    )


def checkbox(label: str, action_id: str, text: str, value: str) -> InputBlock:
    """A single checkbox, which may stay unchecked."""
    options = [Option(text=plain_text(text), value=value)]
    return entry(label, CheckboxesElement(action_id=action_id, options=options), optional=True)


def engineer_entry(user_id: str, hint: str) -> InputBlock:
    """The choice of the engineer in charge."""
    element = UserSelectElement(action_id=ENGINEER, initial_user=user_id)
    return entry("HeavySet engineer", element, hint=hint)


def plain_text(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)
