"""Views: modals and the Home tab (docs: reference/views)."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.blocks import problems_of_blocks
from sandbox.slack.block_kit.check_builders import Check, problem, record, string, tagged
from sandbox.slack.block_kit.objects import plain_text


def _blocks(value: Any, _pointer: str) -> Iterator[str]:
    yield from problems_of_blocks(value, most=100)


_SHARED: dict[str, Check] = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
_MODAL = record(
    {"title": plain_text(24), "blocks": _blocks},
    _SHARED | {"submit": plain_text(24), "close": plain_text(24)},
)
_HOME = record({"blocks": _blocks}, _SHARED)


def problems_of_view(view: Any, *, home: bool = False) -> list[str]:
    """What Slack finds wrong with a modal or a Home; empty if it would accept it."""
    check = tagged({"home": _HOME} if home else {"modal": _MODAL})
    problems = list(check(view, "/view"))
    if problems or home or "submit" in view:
        return problems
    if any(block["type"] == "input" for block in view["blocks"]):
        return [problem("submit is required when an input block is within blocks", "/view")]
    return []
