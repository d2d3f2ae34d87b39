"""The app as its manifest describes it: scopes, events, commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Manifest:
    """What the app asks for when it is installed (docs: app manifest reference).

    `scopes` are all of the bot's; those in `optional_scopes` may be declined at installation.
    Raises ValueError for a manifest that Slack would reject.
    """

    scopes: frozenset[str] = frozenset()
    optional_scopes: frozenset[str] = frozenset()
    bot_events: frozenset[str] = frozenset()
    commands: Mapping[str, str] = field(default_factory=dict)  # usage hints by slash command
    message_shortcuts: Mapping[str, str] = field(default_factory=dict)  # names by callback_id
    has_home: bool = False
    escapes_commands: bool = False  # `should_escape`

    def __post_init__(self) -> None:
        if strangers := sorted(self.optional_scopes - self.scopes):
            raise ValueError(
                "Optional scopes must also be listed in the corresponding bot fields: "
                + ", ".join(strangers)
            )

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read the grants from a `manifest.yml`."""
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings = content.get("settings", {})
        features = content.get("features", {})
        commands = features.get("slash_commands", [])
        scopes = content.get("oauth_config", {}).get("scopes", {})
        return cls(
            scopes=frozenset(scopes.get("bot", [])),
            optional_scopes=frozenset(scopes.get("bot_optional", [])),  # docs: app manifests
            bot_events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", [])),
            commands={each["command"]: each.get("usage_hint", "") for each in commands},
            message_shortcuts={
                each["callback_id"]: each["name"]
                for each in features.get("shortcuts", [])
                if each["type"] == "message"
            },
            escapes_commands=any(each.get("should_escape") for each in commands),
            has_home=features.get("app_home", {}).get("home_tab_enabled", False),
        )
