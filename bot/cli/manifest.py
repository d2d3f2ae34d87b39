"""The app manifest to paste at api.slack.com, for one transport and address."""

import json
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "manifest.yml"
EVENTS_PATH = "/slack/events"


def manifest_for(address: str | None) -> str:
    """Return the manifest as JSON: for HTTP at `address`, or for Socket Mode if there is none."""
    made: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    settings = made["settings"]
    settings["socket_mode_enabled"] = address is None
    places = [
        (settings["event_subscriptions"], "request_url"),
        (settings["interactivity"], "request_url"),
        *((command, "url") for command in made["features"]["slash_commands"]),
    ]
    for place, name in places:
        if address is None:
            del place[name]
        else:
            place[name] = address + EVENTS_PATH
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"
