"""Block Kit as Slack validates it: limits, uniqueness, and where each block is allowed."""

from sandbox.slack.block_kit.blocks import problems_of_blocks, with_block_ids
from sandbox.slack.block_kit.views import problems_of_view

__all__ = ["problems_of_blocks", "problems_of_view", "with_block_ids"]
