"""`GET /metrics`: what is counted and timed, and that no value is among it."""

from tests.integration.world import World, held


async def test_the_figures_tell_of_acknowledgements_calls_and_verifications(
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


async def test_the_figures_tell_of_what_waits_and_of_who_is_at_it(begun: World) -> None:
    async with held(begun.slack, "chat.update"):
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


async def test_no_value_is_among_the_figures(begun: World) -> None:
    await begun.walk_to(23)

    _, text = await begun.get("/metrics")

    assert not [value for value in begun.servicetitan.credentials.values() if value in text]
