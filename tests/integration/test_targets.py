"""Clients past a phase's target date are shown as at risk on Home, in `status`, and the digest."""

from freezegun import freeze_time

from sandbox.slack import visible_text
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import running_world


@ON_SQLITE
async def test_a_client_over_target_is_at_risk_on_home_in_status_and_digest(
    database: AnyDatabase,
) -> None:
    with freeze_time("2026-03-02 14:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            assert "target" not in (await world.type("status")).text

            clock.move_to("2026-03-09 14:30")
            await world.press(world.ann, "step:1", "choose_account:new")
            await world.erin.open_home()
            await world.idle()
            await world.bot.digest.look()

            status = (await world.type("status")).text
            assert "⏳ over target: phase 1 was due" in status
            assert "2026-03-04 14:00 UTC" in status
            assert world.erin.home
            home = visible_text(world.erin.home)
            assert "1 at risk" in home
            assert "⏳ At risk" in home
            assert "⏳ over target: phase 1 was due" in home
            [digest] = [text for text in world.announced if "This week's onboardings" in text]
            assert "⏳ At risk" in digest
