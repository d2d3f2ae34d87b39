"""manifest.yml has a shape that Slack accepts and exactly the scopes that the bot's calls need."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bot.slack import OPTIONAL_SCOPES
from handlers.channel import ANSWERS, LOSS_BY_EVENT, RETURNS

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))

# docs.slack.dev, each method's page, “Bot token scopes”. A method that works in public and in
# private channels needs a scope for each.
SCOPES: dict[str, set[str]] = {
    "auth.test": set(),
    "bookmarks.add": {"bookmarks:write"},
    "bookmarks.edit": {"bookmarks:write"},
    "bookmarks.list": {"bookmarks:read"},
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.create": {"channels:manage", "groups:write"},
    "conversations.history": {"channels:history", "groups:history"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.invite": {"channels:manage", "groups:write"},
    "conversations.inviteShared": {"conversations.connect:write"},
    "conversations.members": {"channels:read", "groups:read"},
    "conversations.replies": {"channels:history", "groups:history"},
    "files.completeUploadExternal": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "pins.add": {"pins:write"},
    "usergroups.users.list": {"usergroups:read"},
    "users.conversations": {"channels:read", "groups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
}


def string(max_length: int, min_length: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": min_length, "maxLength": max_length, **more}


def strict_object(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object of `properties` and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def array(item: dict[str, Any], max_items: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "maxItems": max_items, "uniqueItems": True}


ADDRESS = {"type": "string", "pattern": "^https?://"}
FLAG = {"type": "boolean"}
# From docs.slack.dev, “App manifest reference”, and slackapi/manifest-schema on GitHub: what
# is required, how long it may be, and that unknown keys are refused.
RULES = strict_object(
    ["display_information"],
    _metadata=strict_object([], major_version={"enum": [1, 2]}, minor_version={"type": "integer"}),
    display_information=strict_object(
        ["name"],
        name=string(35),
        description=string(140),
        long_description=string(4000, 175),
        background_color=string(7, 4, pattern="^#([0-9a-fA-F]{3}){1,2}$"),
    ),
    features=strict_object(
        [],
        bot_user=strict_object(["display_name"], display_name=string(80), always_online=FLAG),
        app_home=strict_object(
            [],
            home_tab_enabled=FLAG,
            messages_tab_enabled=FLAG,
            messages_tab_read_only_enabled=FLAG,
        ),
        slash_commands=array(
            strict_object(
                ["command", "description"],
                command=string(32, 2, pattern="^/"),
                description=string(2000),
                url=ADDRESS,
                usage_hint=string(1000),
                should_escape=FLAG,
            ),
            50,
        ),
        shortcuts=array(
            strict_object(
                ["name", "type", "callback_id", "description"],
                name=string(24),
                type={"enum": ["message", "global"]},
                callback_id=string(255),
                description=string(150),
            ),
            10,
        ),
    ),
    oauth_config=strict_object(
        [],
        scopes=strict_object(
            [],
            bot=array(string(255), 255),
            bot_optional=array(string(255), 255),
            user=array(string(255), 255),
        ),
        redirect_urls=array(ADDRESS, 1000),
    ),
    settings=strict_object(
        [],
        event_subscriptions=strict_object(
            [], request_url=ADDRESS, bot_events=array(string(255), 100)
        ),
        interactivity=strict_object(
            ["is_enabled"],
            is_enabled=FLAG,
            request_url=ADDRESS,
            message_menu_options_url=ADDRESS,
        ),
        socket_mode_enabled=FLAG,
        org_deploy_enabled=FLAG,
        token_rotation_enabled=FLAG,
    ),
)


# Calls that the bot can do without, with fewer features.
OPTIONAL = {
    "bookmarks.add",
    "bookmarks.edit",
    "bookmarks.list",
    "conversations.create",
    "conversations.invite",
    "conversations.inviteShared",
    "files.completeUploadExternal",
    "files.getUploadURLExternal",
    "pins.add",
}


def where_slack_is_called() -> str:
    paths = sorted((ROOT / "bot" / "slack").glob("*.py"))
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def methods_called() -> set[str]:
    """The Web API methods named in the calls to Slack."""
    return set(re.findall(r'_call\(\s*"([a-z]+\.[a-zA-Z.]+)"', where_slack_is_called()))


@pytest.fixture
def rules() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # takes seconds

    return Draft202012Validator(RULES)


def test_the_manifest_matches_slacks_schema(rules: "Draft202012Validator") -> None:
    rules.validate(MANIFEST)


@pytest.mark.parametrize(
    "wrong",
    [
        {**MANIFEST, "colour": "red"},
        {name: part for name, part in MANIFEST.items() if name != "display_information"},
        {**MANIFEST, "display_information": {"name": "x" * 36}},
        {**MANIFEST, "settings": {"interactivity": {"request_url": "https://example.com"}}},
    ],
    ids=["an unknown key", "no display information", "a long name", "no is_enabled"],
)
def test_the_schema_rejects_invalid_manifests(
    rules: "Draft202012Validator", wrong: dict[str, Any]
) -> None:
    assert list(rules.iter_errors(wrong))


def test_every_slack_client_call_names_its_api_method() -> None:
    calls = set(re.findall(r"self\._client\.(\w+)\(", where_slack_is_called()))

    assert calls == {method.replace(".", "_") for method in methods_called()}


def test_every_method_that_is_called_has_known_scopes() -> None:
    assert methods_called() <= set(SCOPES)
    assert {"chat.postMessage", "chat.update", "views.open"} <= methods_called()


def test_the_manifest_requests_exactly_the_scopes_needed() -> None:
    methods = methods_called()
    needed = {"commands"}.union(*(SCOPES[method] for method in methods - OPTIONAL))
    useful = {"users:read.email"}.union(*(SCOPES[method] for method in methods & OPTIONAL))

    scopes = MANIFEST["oauth_config"]["scopes"]
    assert sorted(scopes["bot"]) == sorted(needed | useful)
    assert sorted(scopes["bot_optional"]) == sorted(useful - needed)


def test_every_optional_scope_is_also_a_bot_scope() -> None:
    """docs.slack.dev: “Optional scopes must also be listed in the corresponding bot fields.”"""
    scopes = MANIFEST["oauth_config"]["scopes"]

    assert set(scopes["bot_optional"]) <= set(scopes["bot"])


def test_each_optional_scope_says_what_it_is_for() -> None:
    assert sorted(OPTIONAL_SCOPES) == sorted(MANIFEST["oauth_config"]["scopes"]["bot_optional"])
    assert all(OPTIONAL_SCOPES.values())


def test_the_slash_command_sends_escaped_ids_instead_of_names() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]

    assert command["command"] == "/servicetitan"
    assert command["should_escape"] is True


def test_interactivity_uses_the_same_request_url_as_commands() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    interactivity = MANIFEST["settings"]["interactivity"]

    assert interactivity["is_enabled"] is True
    assert interactivity["request_url"] == command["url"]
    assert command["url"].endswith("/slack/events")


def test_subscribed_events_match_the_registered_listeners() -> None:
    asked = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "handlers").glob("*.py"))
    named = re.findall(r"@on\.event\((.+)\)", sources)
    listened = {name for names in named for name in re.findall(r'"(\w+)"', names)} | {
        *LOSS_BY_EVENT,
        *RETURNS,
        *ANSWERS,
    }

    # Message events are subscribed to by channel type, but all arrive as `message`.
    kinds = {"message" if event.startswith("message.") else event for event in asked}
    assert kinds == listened


def test_token_rotation_is_disabled() -> None:
    assert MANIFEST["settings"]["token_rotation_enabled"] is False
