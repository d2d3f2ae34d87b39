"""The arguments of a Web API call, however they were sent.

Slack accepts a JSON body, a form, a query string with GET, and a query string with POST
(docs: apis/web-api). In all but JSON, every value arrives as a string.
"""

import json
from typing import Any

from aiohttp import web

from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json

# Bolt's client sends it with every call; Slack uses it only with organization-wide tokens.
ALWAYS_ALLOWED = "team_id"
FALSE = ("", "0", "false", "False")


class Arguments:
    """Named values with the conversions that each method asks for."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def only(self, allowed: str) -> None:
        """Refuse arguments that the sandbox doesn't model: better than ignoring them.

        Spaces separate the names in `allowed`.
        """
        unknown = sorted(self.values.keys() - {*allowed.split(), ALWAYS_ALLOWED})
        if unknown:
            messages = [f"[ERROR] unsupported argument: {name}" for name in unknown]
            raise SlackError.because("invalid_arguments", *messages)

    def text(self, name: str) -> str:
        """A required string."""
        value = self.maybe_text(name)
        if not value:
            raise SlackError.because("invalid_arguments", f"[ERROR] missing required field: {name}")
        return value

    def maybe_text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise SlackError.because(
                "invalid_arguments", f"[ERROR] must be a string [json-pointer:/{name}]"
            )
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.values.get(name, default)
        return value not in FALSE if isinstance(value, str) else bool(value)

    def number(self, name: str, default: int, maximum: int) -> int:
        try:
            value = int(self.values.get(name, default))
        except (TypeError, ValueError):
            value = 0
        if not 1 <= value <= maximum:
            raise SlackError("invalid_limit")
        return value

    def names(self, name: str) -> list[str]:
        """A list of strings: a list, JSON, or separated by commas."""
        value = self.values.get(name) or []
        if isinstance(value, str):
            value = self.structure(name) if value.startswith("[") else value.split(",")
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise SlackError.because(
                "invalid_arguments", f"[ERROR] must be a list of strings [json-pointer:/{name}]"
            )
        return [each.strip() for each in value if each.strip()]

    def structure(self, name: str) -> Any:
        """A list or an object; a string must be JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError.because(
                "invalid_arguments", f"[ERROR] must be valid JSON [json-pointer:/{name}]"
            ) from None


async def read_arguments(request: web.Request) -> Json:
    """All arguments of a request, whatever its method."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return values | body
    return values | dict(await request.post())
