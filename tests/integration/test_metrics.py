"""`GET /metrics`: what is counted and timed, and that no credential value is included."""

import json
from collections.abc import Mapping

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app.connections import CannotListen
from sandbox.bot_process import free_port
from tests.databases import ON_BOTH
from tests.integration.world import World, hold_calls

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]


async def test_metrics_cover_acknowledgements_slack_calls_and_verifications(
    begun: World,
) -> None:
    begun.slack.fail_next("chat.update", status=500)
    await begun.walk_to(23)
    await begun.catch_up()

    status, text = await begun.get("/metrics")

    assert status == 200
    assert 'onboarding_acknowledgement_seconds_count{status="200"}' in text
    assert 'onboarding_slack_call_seconds_count{method="chat.postMessage",result="ok"}' in text
    assert 'method="chat.update",result="Unavailable"} 1.0' in text
    assert 'onboarding_verifications_total{outcome="passed"} 1.0' in text


@ON_BOTH
async def test_metrics_show_the_backlog_and_held_leases(begun: World) -> None:
    async with hold_calls(begun.slack, "chat.update"):
        await begun.ann.press(begun.message("step:1"), "choose_account:new")
        await begun.slack.until(lambda: begun.find("step:2"))
        await begun.bot.sweep()
        _, meanwhile = await begun.get("/metrics")
    await begun.idle()
    await begun.bot.sweep()
    _, afterwards = await begun.get("/metrics")

    assert "onboarding_backlog 1.0" in meanwhile
    assert "onboarding_leases 1.0" in meanwhile
    assert "onboarding_backlog 0.0" in afterwards
    assert "onboarding_leases 0.0" in afterwards


async def test_metrics_contain_no_credential_values(begun: World) -> None:
    await begun.walk_to(23)

    _, text = await begun.get("/metrics")

    assert not [value for value in begun.servicetitan.credentials.values() if value in text]


TOKEN = "0123456789abcdef0123456789abcdef"


async def fetch(url: str, authorization: str = "") -> tuple[int, str, Mapping[str, str]]:
    headers = {"Authorization": authorization} if authorization else {}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_metrics_and_readiness_details_require_the_token(
    world: World,
) -> None:
    async with world.second_bot(metrics_token=SecretStr(TOKEN)) as bot:
        url = f"http://127.0.0.1:{bot.settings.port}"

        for wrong in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer é"):
            status, text, headers = await fetch(f"{url}/metrics", wrong)
            assert status == 401
            assert headers["WWW-Authenticate"].startswith("Bearer")
            assert "onboarding" not in text
            status, text, _ = await fetch(f"{url}/readyz", wrong)
            assert (status, json.loads(text)) == (200, {"status": "ready"})

        for right in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
            status, text, _ = await fetch(f"{url}/metrics", right)
            assert status == 200
            assert "onboarding_backlog" in text
            _, text, _ = await fetch(f"{url}/readyz", right)
            assert "warnings" in json.loads(text)
        assert (await fetch(f"{url}/healthz"))[0] == 200


async def test_causes_of_unreadiness_are_hidden_without_the_token(world: World) -> None:
    async with world.second_bot(metrics_token=SecretStr(TOKEN)) as bot:
        url = f"http://127.0.0.1:{bot.settings.port}/readyz"
        bot.in_flight.stopping = True

        status, text, _ = await fetch(url)
        with_token_status, details, _ = await fetch(url, f"Bearer {TOKEN}")

        assert (status, json.loads(text)) == (503, {"status": "unready"})
        assert with_token_status == 503
        assert json.loads(details)["causes"]


@pytest.mark.parametrize("token", [None, SecretStr(TOKEN)])
async def test_a_metrics_port_removes_metrics_and_details_from_the_main_port(
    world: World, token: SecretStr | None
) -> None:
    port = free_port()
    async with world.second_bot(metrics_port=port, metrics_token=token) as bot:
        main, metrics = f"http://127.0.0.1:{bot.settings.port}", f"http://127.0.0.1:{port}"
        with_token = f"Bearer {TOKEN}"

        assert (await fetch(f"{main}/metrics", with_token))[0] == 404
        assert json.loads((await fetch(f"{main}/readyz", with_token))[1]) == {"status": "ready"}
        assert (await fetch(f"{main}/healthz"))[0] == 200
        assert (await fetch(f"{metrics}/metrics", with_token))[0] == 200
        assert "warnings" in json.loads((await fetch(f"{metrics}/readyz", with_token))[1])
        assert (await fetch(f"{metrics}/slack/events"))[0] == 404
        assert (await fetch(f"{metrics}/metrics"))[0] == (401 if token else 200)


async def test_a_metrics_port_already_in_use_is_reported(world: World) -> None:
    with pytest.raises(CannotListen, match="HOST and METRICS_PORT: cannot listen"):
        async with world.second_bot(metrics_port=world.settings.port):
            pass
