"""What Slack sends, before Bolt reads it: nulls, and other types than documented, are dropped.

Bolt takes them for what it expects, and fails. A key that is null is as good as absent.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

# What Bolt reads of every payload (slack_bolt/request/internals.py), and as what.
BOLTS = {
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


def readable(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload of Slack's without what Bolt would stumble over."""
    body: dict[str, Any] = without_nulls(payload)
    for part in (body, body.get("event")):
        if isinstance(part, dict):
            for key, types in BOLTS.items():
                if key in part and not isinstance(part[key], types):
                    del part[key]
            if not all(isinstance(one, dict) for one in part.get("authorizations", ())):
                del part["authorizations"]
    return body


def readable_text(body: str, content_type: str) -> str:
    """Return the text of a request likewise; raises ValueError, TypeError for one not Slack's."""
    if content_type.startswith("application/json"):
        return json.dumps(readable(json.loads(body)))
    payload = parse_qs(body).get("payload")
    return urlencode({"payload": json.dumps(readable(json.loads(payload[0])))}) if payload else body


def without_nulls(value: Any) -> Any:
    """Return what Slack sent without the keys, and the items, that are null."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value if one is not None]
    return value
