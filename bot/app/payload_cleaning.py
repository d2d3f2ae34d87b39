"""Cleans Slack's payloads before Bolt reads them: drops nulls and values of undocumented types.

Bolt takes them for what it expects, and fails. A key that is null means the same as none.
"""

from collections.abc import Mapping
from typing import Any

# The keys that Bolt reads from every payload (slack_bolt/request/internals.py), and their types.
BOLT_KEYS = {
    "team": (dict, str),
    "enterprise": (dict, str),
    "authorizations": (list,),
    "response_urls": (list,),
    "is_enterprise_install": (bool, str),
    "message": (dict,),
    "previous_message": (dict,),
    "container": (dict,),
    "view": (dict,),
}


def cleaned(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload without what Bolt cannot read."""
    body: dict[str, Any] = without_nulls(payload)
    for part in (body, body.get("event")):
        if isinstance(part, dict):
            for key, types in BOLT_KEYS.items():
                if key in part and not isinstance(part[key], types):
                    del part[key]
            if not all(isinstance(item, dict) for item in part.get("authorizations", ())):
                del part["authorizations"]
    return body


def without_nulls(value: Any) -> Any:
    """Return `value` without keys and items that are null, at any depth."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value
