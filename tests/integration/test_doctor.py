"""`onboarding doctor`: the state of each part, and how to fix it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import Finding, examine
from bot.cli.doctor.blocks import validate
from bot.slack import OPTIONAL_SCOPES, SCOPES
from sandbox.run import MANIFEST
from sandbox.slack import Manifest, SlackSandbox
from tests.commands import onboarding
from tests.databases import ON_BOTH, ON_SQLITE
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import KEY, OTHER_KEY, World


async def findings(world: World, **settings: Any) -> dict[str, Finding]:
    changed = world.settings.model_validate({**world.settings.model_dump(), **settings})
    return {finding.title: finding async for finding in examine(changed)}


@ON_BOTH
async def test_a_healthy_bot_has_nothing_to_fix(begun: World) -> None:
    found = await findings(begun)

    assert [finding for finding in found.values() if not finding.ok] == []
    assert found["Slack scopes"].text == "all granted"


async def test_a_rejected_token_is_reported_and_other_slack_checks_are_skipped(
    begun: World,
) -> None:
    found = await findings(begun, slack_bot_token="xoxb-wrong")

    assert "copy SLACK_BOT_TOKEN again" in found["Slack token"].fix
    assert "engineering channel" not in found


async def test_a_channel_without_the_bot_is_named(begun: World) -> None:
    without_bot = begun.slack.add_channel("lonely", begun.erin, with_bot=False)

    found = await findings(begun, engineering_channel=without_bot.id)

    assert "invite the bot" in found["engineering channel"].fix


@ON_BOTH
async def test_a_missing_key_is_named_by_its_id(begun: World) -> None:
    await begun.walk_to(23)

    found = await findings(begun, credential_keys=[OTHER_KEY])

    assert "is not among CREDENTIAL_KEYS: 5 stored values" in found["stored values"].text
    assert KEY not in found["stored values"].text


async def test_an_unreachable_servicetitan_is_reported(begun: World) -> None:
    found = await findings(begun, servicetitan_api_url="http://127.0.0.1:9")

    assert "SERVICETITAN_API_URL: not reached" in found["ServiceTitan"].text


async def test_a_missing_scope_is_named(begun: World) -> None:
    manifest = Manifest.read(MANIFEST)
    poorer = replace(manifest, scopes=manifest.scopes - {"users:read"})

    async with SlackSandbox(poorer) as slack:
        found = await findings(begun, slack_api_url=slack.api_url, slack_bot_token=slack.bot_token)

    assert found["Slack scopes"].text == "missing: users:read"


async def test_missing_optional_scopes_are_listed_but_need_no_fix(
    begun: World,
) -> None:
    begun.slack.admin.grant("files:write")
    begun.slack.admin.decline("pins:write")

    found = (await findings(begun))["Slack optional scopes"]

    assert found.ok
    assert found.text == "not granted: pins:write (pins the first message of the thread)"


async def test_the_checked_scopes_match_the_manifest(begun: World) -> None:
    manifest = begun.slack.manifest

    assert manifest.optional_scopes == OPTIONAL_SCOPES.keys()
    assert manifest.scopes - manifest.optional_scopes == SCOPES


async def test_what_doctor_cannot_check_comes_with_manual_instructions(world: World) -> None:
    found = await findings(world)

    assert not found["signing secret"].tested
    assert "type “/servicetitan help” in Slack" in found["signing secret"].line
    assert "last request from Slack: never" in found["requests from Slack"].line


async def test_the_last_slack_request_and_event_are_reported(begun: World) -> None:
    await begun.ann.say(begun.channel, "Hello!")
    await begun.slack.delivered()
    begun.write("INSERT INTO arrival (kind, at) VALUES ('wrong_signature', ?)", datetime.now(UTC))
    wrong = (await findings(begun))["requests from Slack"]
    begun.write("DELETE FROM arrival")
    begun.write("INSERT INTO arrival (kind, at) VALUES ('request', ?)", datetime.now(UTC))
    begun.write(
        "INSERT INTO arrival (kind, at) VALUES ('event', ?)", datetime(2026, 1, 5, tzinfo=UTC)
    )
    right = (await findings(begun))["requests from Slack"]

    assert "SLACK_SIGNING_SECRET is wrong" in wrong.fix
    assert right.text == (
        "last request from Slack: less than a minute ago, last event: 2026-01-05 00:00 UTC"
    )


@pytest.mark.parametrize(("token", "ok"), [("", True), ("xapp-1-wrong", False)])
async def test_the_app_token_is_tried_in_socket_mode(begun: World, token: str, ok: bool) -> None:
    found = await findings(begun, slack_app_token=token or begun.slack.app_token)

    assert found["Slack app token"].ok is ok
    assert found["signing secret"].text == "not needed in Socket Mode"


async def test_ineligible_engineer_ids_are_listed_and_the_others_counted(
    begun: World,
) -> None:
    ids = [begun.erin.id, begun.ann.id, "U0NOBODY", "S0NOTHING"]

    found = await findings(begun, engineers=ids)

    assert all(user in found["ENGINEERS"].text for user in ids[1:])
    assert begun.erin.id not in found["ENGINEERS"].text
    assert found["who may reveal credentials"].text == f"1 person: {begun.erin.id}"


async def test_doctor_reports_that_everyone_can_reveal_credentials(begun: World) -> None:
    found = await findings(begun, engineers=["everyone"])

    assert found["who may reveal credentials"].text == "every full member of the workspace"


async def test_an_externally_shared_engineering_channel_is_reported(begun: World) -> None:
    found = await findings(begun, engineering_channel=begun.channel.id)

    assert "shared with another organization" in found["engineering channel"].text
    assert found["engineering channel"].fix


async def test_invalid_settings_do_not_prevent_the_other_checks(begun: World) -> None:
    wrong = frozenset({"SLACK_BOT_TOKEN", "CREDENTIAL_KEYS"})

    found = {finding.title: finding async for finding in examine(begun.settings, wrong)}

    assert found["database"].ok
    assert not found["Slack token"].tested
    assert not found["stored values"].tested
    assert found["ServiceTitan"].text.endswith("reached")


@ON_SQLITE
async def test_the_doctor_command_prints_all_findings_to_stdout(begun: World) -> None:
    settings = {
        **VALID_SETTINGS,
        "DATABASE_URL": begun.settings.database_url,
        "SLACK_API_URL": begun.settings.slack_api_url,
        "SERVICETITAN_AUTH_URL": begun.settings.servicetitan_auth_url,
        "SERVICETITAN_API_URL": begun.settings.servicetitan_api_url,
        "ENGINEERING_CHANNEL": begun.engineering.id,
        "SLACK_BOT_TOKEN": "xoxb-",
    }
    wrong = await onboarding(begun.database.directory, "doctor", PORT="http", **settings)
    right = await onboarding(
        begun.database.directory,
        "doctor",
        **{**settings, "SLACK_BOT_TOKEN": begun.slack.bot_token},
    )

    assert (wrong.status, wrong.err) == (1, "")
    assert wrong.out.startswith("✗ SLACK_BOT_TOKEN: is still the placeholder")
    assert "\n✗ PORT: must be a whole number\n" in wrong.out
    assert "✓ stored values: " in wrong.out
    assert (right.status, right.err) == (0, "")
    assert {line[0] for line in right.out.splitlines()} == {"✓", "–"}


@ON_SQLITE
async def test_every_message_and_modal_is_sent_to_slacks_block_validator(world: World) -> None:
    settings = {**VALID_SETTINGS, "SLACK_API_URL": world.settings.slack_api_url}

    ended = await onboarding(world.database.directory, "doctor", "--blocks", **settings)

    assert (ended.status, ended.err) == (0, "")
    *lines, last = ended.out.splitlines()
    assert last == f"✓ blocks: Slack accepts all {len(lines)} messages and windows"
    assert len(lines) > 300
    calls = [call for call in world.slack.calls if call.method == "blocks.validate"]
    assert len(calls) == len(lines)


@ON_SQLITE
async def test_blocks_rejected_by_slacks_validator_are_listed(world: World) -> None:
    world.slack.fail_next("blocks.validate", error="invalid_message")
    refused = [
        finding
        async for finding in validate(world.bot.database.guides.default, world.slack.api_url)
    ]
    unreachable = [
        finding
        async for finding in validate(world.bot.database.guides.default, "http://127.0.0.1:9/api/")
    ]

    assert [finding.title for finding in refused if not finding.ok] == ["help", "blocks"]
    assert refused[-1].text.startswith("Slack refuses 1 of ")
    assert unreachable == [
        Finding(
            "blocks",
            "after 0, no answer (ConnectError)",
            "check the network, and SLACK_API_URL; then try again",
        )
    ]


async def test_every_guide_picture_is_checked(begun: World, tmp_path: Path) -> None:
    for name in ("step-03.png", "login.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    (tmp_path / "step-05.png").write_bytes(b"RIFF....WEBP")

    found = await findings(begun, guide_images=str(tmp_path))

    assert found["picture step-03.png"].line == (
        "✓ picture step-03.png: PNG, 0 kB; uploaded to Slack if files:write is granted"
    )
    assert found["picture step-10.png"].ok  # our schematic
    assert "isn't named after a step" in found["picture login.png"].line
    assert "isn't a PNG, JPEG, or GIF. Fix: save it as" in found["picture step-05.png"].line


async def test_pictures_are_requested_from_the_bots_public_url(begun: World) -> None:
    closed = (await findings(begun, public_url=begun.base_url))["picture step-10.png"]
    async with begun.second_bot(public_url=begun.base_url) as second:
        base = f"http://127.0.0.1:{second.settings.port}"
        reached = (await findings(begun, public_url=base))["picture step-10.png"]
    unreachable = (await findings(begun, public_url=base))["picture step-10.png"]

    assert "PUBLIC_URL answers HTTP 404. Fix: let GET /guide/ through" in closed.line
    assert reached.line.endswith("kB; Slack can download it from the bot")
    assert (unreachable.ok, unreachable.tested) == (True, False)


async def test_pictures_at_an_address_are_downloaded(begun: World) -> None:
    async with begun.second_bot(public_url=begun.base_url) as second:
        base = f"http://127.0.0.1:{second.settings.port}/guide"
        found = await findings(begun, guide_images=base)

    assert found["picture of step 10"].line.startswith("✓ picture of step 10: step-10.png: PNG, ")
    assert found["picture of step 3"].line == (
        "– picture of step 3: step-03.png isn't there (HTTP 404); the step has words instead"
    )
