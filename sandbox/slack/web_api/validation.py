"""blocks.validate (docs: reference/methods/blocks.validate): no token, no scope."""

import re
from typing import Any

from sandbox.slack.arguments import Arguments
from sandbox.slack.block_kit import problems_of_blocks, problems_of_view
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json
from sandbox.slack.state import State
from sandbox.slack.web_api.base import method

WHAT = ("blocks", "message", "view")


@method("blocks.validate", "blocks message view", needs_token=False)
def blocks_validate(_state: State, args: Arguments) -> Json:
    given = [name for name in WHAT if name in args]
    if len(given) != 1:
        raise SlackError("invalid_arguments")
    what = given[0]
    if problems := _problems(what, args.structure(what)):
        raise SlackError(f"invalid_{what}", errors=[_error(one) for one in problems])
    return {}


def _problems(what: str, content: Any) -> list[str]:
    if what == "view":
        home = isinstance(content, dict) and content.get("type") == "home"
        return problems_of_view(content, home=home)
    if what == "message":
        if not isinstance(content, dict):
            return ["[ERROR] must be an object [json-pointer:]"]
        content = content.get("blocks", [])
    return problems_of_blocks(content)


def _error(problem: str) -> Json:
    told = re.fullmatch(r"\[ERROR\] (.*) \[json-pointer:(.*)\]", problem)
    text, pointer = told.groups() if told else (problem, "")
    return {"pointer": pointer, "code": "failed_constraint", "message": text}
