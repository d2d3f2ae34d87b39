"""Views: modals and the Home tab (docs: reference/views)."""

from typing import Any

from sandbox.slack.block_kit.blocks import Surface, problems_of_blocks
from sandbox.slack.block_kit.check_builders import Check, all_of, one_of, problem, record, string
from sandbox.slack.block_kit.objects import plain_text

_BLOCKS = all_of()  # `problems_of_blocks` checks them
_SHARED: dict[str, Check] = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
_MODAL = record(
    {"type": one_of("modal"), "title": plain_text(24), "blocks": _BLOCKS},
    _SHARED | {"submit": plain_text(24), "close": plain_text(24)},
)
_HOME = record({"type": one_of("home"), "blocks": _BLOCKS}, _SHARED)


def problems_of_view(view: Any, surface: Surface) -> list[str]:
    """What Slack finds wrong with `view`; empty if it would accept it."""
    check = _MODAL if surface is Surface.MODAL else _HOME
    problems = list(check(view, "/view"))
    if not isinstance(view, dict) or "blocks" not in view:
        return problems
    problems += problems_of_blocks(view["blocks"], surface)
    if problems or surface is Surface.HOME or "submit" in view:
        return problems
    if any(block["type"] == "input" for block in view["blocks"]):
        return [problem("submit is required when an input block is within blocks", "/view")]
    return []
