"""Button labels are short: Slack truncates longer ones on a phone."""

from collections.abc import Iterator
from typing import Any

from bot.guide import load
from bot.onboarding import lifecycle
from tests.builders import NOW, an_engineer, an_onboarding
from tests.unit.rendering import every_message
from tests.unit.test_escaping import messages

LONGEST_LABEL = 30
STEPS = [step.number for step in load().steps]


def labels(rendered: Any) -> Iterator[str]:
    """Yield the labels of all buttons in blocks, including those in confirmation dialogs."""
    if isinstance(rendered, dict):
        if rendered.get("type") == "button":
            yield rendered["text"]["text"]
        for name in ("confirm", "deny"):
            if isinstance(answer := rendered.get(name), dict) and "text" in answer:
                yield answer["text"] if isinstance(answer["text"], str) else ""
        for part in rendered.values():
            yield from labels(part)
    elif isinstance(rendered, list | tuple):
        for part in rendered:
            yield from labels(part)


def test_button_labels_are_short_enough_for_a_phone() -> None:
    walk = [an_onboarding(at_step=number) for number in STEPS]
    paused = lifecycle.pause(walk[0], an_engineer(), NOW).onboarding
    shown = [
        *(
            message
            for onboarding in (*walk, paused)
            for message in every_message(onboarding).values()
        ),
        *messages("Acme"),
    ]

    found = {label for message in shown for label in labels(message.blocks)}

    assert len(found) > 10
    assert {label for label in found if len(label) > LONGEST_LABEL} == set()
