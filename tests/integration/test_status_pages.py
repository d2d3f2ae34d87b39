"""`/servicetitan status`: searching by name, including finished onboardings, and paging."""

from tests.databases import ON_BOTH
from tests.integration.world import World

COPY = """
INSERT INTO onboarding (id, guide, guide_version, client_name, client_key, channel, engineer,
    client_admins, status, revision, published_revision, current_step, finished_steps, turn,
    turn_at, missing_values, exposed_values, open_questions, started_at, active_at, sealed_state)
SELECT ?, guide, guide_version, ?, ?, ?, engineer, client_admins, ?, 1, 1, 7, 6, 'client',
    turn_at, 2, ?, ?, started_at, ?, sealed_state
FROM onboarding WHERE client_name = 'Acme Plumbing'
"""


def add_onboarding(
    world: World, number: int, status: str = "active", exposed: int = 0, asked: int = 0
) -> None:
    name = f"Client {number:02}"
    at = f"2026-01-{number:02} 12:00:00.000000"
    channel = f"C0{number:08}"
    values = (f"id{number:014}", name, name.lower(), channel, status, exposed, asked, at)
    world.write(COPY, *values)


@ON_BOTH
async def test_next_and_previous_buttons_page_through_the_list(begun: World) -> None:
    for number in range(1, 24):
        add_onboarding(begun, number)

    first = await begun.type("status", channel=begun.engineering)
    assert "Active onboardings, page 1" in first.text
    assert "Client 01" in first.text
    assert "Client 11" not in first.text

    await begun.erin.press(begun.erin.ephemerals[-1], "status_page:next")
    await begun.idle()
    second = begun.erin.ephemerals[-1].text
    assert "page 2" in second
    assert "Client 11" in second
    assert "Client 01" not in second

    await begun.erin.press(begun.erin.ephemerals[-1], "status_page:next")
    await begun.idle()
    third = begun.erin.ephemerals[-1].text
    assert "Acme Plumbing" in third
    assert "Next page" not in third

    await begun.erin.press(begun.erin.ephemerals[-1], "status_page:before")
    await begun.idle()
    assert begun.erin.ephemerals[-1].text == second


@ON_BOTH
async def test_a_client_is_found_by_part_of_its_name(begun: World) -> None:
    add_onboarding(begun, 7)

    text = (await begun.type("status LIENT 0")).text

    assert "1 active onboarding\n" in text
    assert "Client 07" in text
    assert "Acme" not in text
    assert "No active client matches “100%”" in (await begun.type("status 100%")).text


async def test_status_all_includes_finished_onboardings(begun: World) -> None:
    add_onboarding(begun, 3, "completed")
    add_onboarding(begun, 4, "cancelled")

    assert "Client 03" not in (await begun.type("status", channel=begun.engineering)).text
    text = (await begun.type("status all")).text
    assert "3 onboardings" in text
    assert "Client 03 · 6 of 25 · completed" in text.replace("*", "")


async def test_status_shows_exposed_credentials_and_open_questions(begun: World) -> None:
    add_onboarding(begun, 5, exposed=1, asked=2)

    text = (await begun.type("status client")).text

    assert "⚠️ 1 credential posted in the channel" in text
    assert "3 of 5 credentials" in text
    assert "🙋 2 open questions" in text
