"""`onboarding doctor`: each part, how it is, and how to mend it."""

from dataclasses import replace
from typing import Any

from bot.doctor import Finding, examine
from bot.slack import OPTIONAL_SCOPES, SCOPES
from sandbox.slack import Manifest, SlackSandbox
from sandbox.stage import MANIFEST
from tests.integration.world import KEY, OTHER_KEY, World


async def findings(world: World, **settings: Any) -> dict[str, Finding]:
    changed = world.settings.model_validate({**world.settings.model_dump(), **settings})
    return {finding.title: finding async for finding in examine(changed)}


async def test_a_healthy_bot_has_nothing_to_mend(begun: World) -> None:
    found = await findings(begun)

    assert [finding for finding in found.values() if not finding.well] == []
    assert found["Slack scopes"].text == "all granted"


async def test_a_refused_token_is_named_and_the_rest_of_slack_not_asked(begun: World) -> None:
    found = await findings(begun, slack_bot_token="xoxb-wrong")

    assert "copy SLACK_BOT_TOKEN again" in found["Slack token"].mend
    assert "engineering channel" not in found


async def test_a_channel_without_the_bot_is_named(begun: World) -> None:
    lonely = begun.slack.add_channel("lonely", begun.erin, with_bot=False)

    found = await findings(begun, engineering_channel=lonely.id)

    assert "invite the bot" in found["engineering channel"].mend


async def test_a_missing_key_is_named_by_its_id(begun: World) -> None:
    await begun.walk_to(23)

    found = await findings(begun, credential_keys=[OTHER_KEY])

    assert "is not among CREDENTIAL_KEYS: 5 stored values" in found["stored values"].text
    assert KEY not in found["stored values"].text


async def test_a_servicetitan_that_is_away_is_named(begun: World) -> None:
    found = await findings(begun, servicetitan_api_url="http://127.0.0.1:9")

    assert "SERVICETITAN_API_URL: not reached" in found["ServiceTitan"].text


async def test_a_missing_scope_is_named(begun: World) -> None:
    manifest = Manifest.read(MANIFEST)
    poorer = replace(manifest, scopes=manifest.scopes - {"users:read"})

    async with SlackSandbox(poorer) as slack:
        found = await findings(begun, slack_api_url=slack.api_url, slack_bot_token=slack.bot_token)

    assert found["Slack scopes"].text == "missing: users:read"


async def test_optional_scopes_that_were_not_granted_are_named_and_nothing_is_to_be_mended(
    begun: World,
) -> None:
    begun.slack.admin.decline("pins:write")

    found = (await findings(begun))["Slack optional scopes"]

    assert found.well
    assert found.text == "not granted: pins:write (pins the first message of the thread)"


async def test_the_scopes_are_those_of_the_manifest(begun: World) -> None:
    manifest = begun.slack.app.manifest

    assert manifest.optional_scopes == OPTIONAL_SCOPES.keys()
    assert manifest.scopes - manifest.optional_scopes == SCOPES
