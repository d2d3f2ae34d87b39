"""Engineer commands: what each slash command changes, and that nothing happens twice."""

import pytest

from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, last_reply, running_world

STATUS = "SELECT status FROM onboarding"


async def test_skip_moves_on_to_the_next_step(begun: World) -> None:
    await begun.walk_to(5)

    first, second = await begun.type("skip 5"), await begun.type("skip 5")

    assert "Skipped step 5" in first.text
    assert "already skipped step 5" in second.text
    assert begun.current == 6
    assert "skipped by" in begun.message("step:5").text
    assert begun.events("step_skipped") == [(begun.erin.id, 5)]


async def test_an_upcoming_step_can_be_skipped(begun: World) -> None:
    await begun.walk_to(3)

    await begun.type("skip 4")
    await begun.press(begun.ann, "step:3", "step_done")

    assert begun.current == 5
    assert "skipped by" in begun.message("step:4").text


async def test_reopen_goes_back_to_a_skipped_step(begun: World) -> None:
    await begun.walk_to(5)
    await begun.type("skip 5")

    reply = await begun.type("reopen 5")

    assert "Back to step 5" in reply.text
    assert begun.current == 5
    assert "Step 5 is already open" in (await begun.type("reopen 5")).text


async def test_reopening_a_step_skipped_in_advance_makes_it_wait_its_turn(begun: World) -> None:
    await begun.walk_to(3)
    await begun.type("skip 5")

    assert "in order" in (await begun.type("reopen 5")).text
    assert begun.current == 3
    assert begun.rows("SELECT state FROM step WHERE number = 5") == [("waiting",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("skip", "Which step?"),
        ("skip seven", "Which step?"),
        ("skip 99", "There's no step 99"),
        ("skip 25", "can't be skipped"),
        ("skip 1", "is a question"),
        ("reopen 9", "isn't done yet"),
        ("assign", "Who?"),
        ("assign @nobody", "Who?"),
        ("resume", "isn't paused"),
        ("verify", "Can't check yet"),
        ("remind nobody", "No client matches “nobody”"),
    ],
)
async def test_invalid_commands_are_explained_and_change_nothing(
    begun: World, text: str, expected: str
) -> None:
    before = begun.rows("SELECT revision FROM onboarding")

    assert expected in (await begun.type(text)).text
    assert begun.rows("SELECT revision FROM onboarding") == before


async def test_pause_puts_an_onboarding_on_hold_until_resume(begun: World) -> None:
    await begun.walk_to(3)

    assert "On hold" in (await begun.type("pause")).text
    assert "already paused" in (await begun.type("pause")).text
    assert begun.rows(STATUS) == [("paused",)]
    assert "On hold" in begun.message("root").text
    assert "On hold." in begun.message("step:3").text
    assert [text for text in begun.announced if "on hold" in text]

    assert "Resumed" in (await begun.type("resume")).text
    assert "On hold" not in begun.message("step:3").text


@ON_BOTH
async def test_cancel_requires_a_reason_and_destroys_the_credentials(begun: World) -> None:
    await begun.walk_to(23)
    assert begun.rows("SELECT count(*) FROM credential") == [(5,)]

    await begun.type("cancel")
    form = begun.view_of(begun.erin)
    assert "ends *Acme Plumbing*'s onboarding" in str(form.blocks)
    assert not (await begun.submit(begun.erin, form, reason="  ")).ok
    answer = await begun.submit(begun.erin, form, reason="They chose <!channel> another")

    assert answer.ok
    assert begun.rows(STATUS) == [("cancelled",)]
    assert begun.rows("SELECT count(*) FROM credential") == [(0,)]
    assert "Buttons" not in begun.message("step:23").text
    assert "has ended this setup" in begun.message("ended").text
    assert "another" not in begun.message("ended").text + begun.message("root").text
    [announced] = [text for text in begun.announced if "canceled" in text]
    assert "&lt;!channel&gt; another" in announced
    assert "No active onboarding in this channel" in (await begun.type("cancel")).text


async def test_a_client_can_be_started_again_after_a_cancellation(begun: World) -> None:
    await begun.type("cancel")
    await begun.submit(begun.erin, begun.view_of(begun.erin), reason="Too early.")

    await begun.type("start Acme Plumbing")
    answer = await begun.submit(begun.erin, begun.view_of(begun.erin))

    assert answer.ok
    assert begun.slots().count("root") == 2
    assert "0 of 25" in (await begun.type("status")).text


async def test_only_the_person_who_opened_the_cancel_form_can_submit_it(begun: World) -> None:
    max_ = begun.slack.add_person("Max Engineer")
    await begun.type("cancel")
    form = begun.view_of(begun.erin)

    await begun.submit(begun.erin, form, reason="First.")
    payload = begun.last_interaction
    payload["user"]["id"] = max_.id
    payload["trigger_id"] = "1.2.other"
    await begun.send(payload)

    assert begun.events("cancelled") == [(begun.erin.id, None)]


async def test_assign_puts_another_engineer_in_charge(begun: World) -> None:
    max_ = begun.slack.add_person("Max Engineer")
    guest = begun.slack.add_person("Gus Guest")
    guest.user.is_restricted = True

    assert "Reassigned to" in (await begun.type(f"assign <@{max_.id}|max>")).text
    assert "already has this one" in (await begun.type(f"assign <@{max_.id}>")).text
    assert "isn't a HeavySet engineer" in (await begun.type(f"assign <@{guest.id}>")).text
    assert "isn't a HeavySet engineer" in (await begun.type(f"assign <@{begun.ann.id}>")).text

    assert begun.rows("SELECT engineer FROM onboarding") == [(max_.id,)]
    assert f"HeavySet engineer: <@{max_.id}>" in begun.message("root").text
    assert [text for text in begun.announced if f"to <@{max_.id}>." in text]


async def test_verify_runs_a_verification(begun: World) -> None:
    await begun.walk_to(24)

    assert "Checking now." in (await begun.type("verify")).text

    assert begun.message("verification:2").payload["outcome"] == "passed"


async def test_credentials_lists_what_was_entered_but_never_a_value(begun: World) -> None:
    await begun.walk_to(11)
    values = begun.servicetitan.credentials
    await begun.enter(begun.ann, 11, booking_provider_id=values["booking_provider_id"])

    text = (await begun.type("credentials")).text

    assert f"Booking Provider ID ending in {values['booking_provider_id'][-4:]}, entered by" in text
    assert "Client Secret: not entered yet (step 19)" in text
    assert values["booking_provider_id"] not in text


async def test_a_command_must_name_the_client_when_a_channel_has_two(begun: World) -> None:
    await begun.type("start Beta Heating")
    await begun.submit(begun.erin, begun.view_of(begun.erin))

    unclear = await begun.type("pause")
    assert "Which one?" in unclear.text
    assert "Acme Plumbing" in unclear.text
    assert "Beta Heating" in unclear.text
    assert "*Beta Heating*: On hold" in str((await begun.type("pause beta")).blocks)

    query = "SELECT client_name, status FROM onboarding ORDER BY client_name"
    assert begun.rows(query) == [("Acme Plumbing", "active"), ("Beta Heating", "paused")]
    text = (await begun.type("status")).text
    assert "Acme Plumbing" in text
    assert "Beta Heating" in text


async def test_a_client_can_be_named_in_any_channel(begun: World) -> None:
    reply = await begun.type("pause ACME", channel=begun.engineering)

    assert "On hold" in reply.text
    assert begun.rows(STATUS) == [("paused",)]


@ON_BOTH
async def test_an_exact_client_name_wins_over_a_longer_one_containing_it(begun: World) -> None:
    beta = begun.slack.add_channel("beta", begun.erin)
    await begun.begin("Acme Plumbing West", beta)

    await begun.type("pause acme plumbing", channel=begun.engineering)

    query = "SELECT client_name FROM onboarding WHERE status = 'paused'"
    assert begun.rows(query) == [("Acme Plumbing",)]


@pytest.mark.parametrize(
    "text", ["verify", "pause", "skip 1", "reopen 1", "assign <@U1>", "cancel", "credentials"]
)
async def test_only_engineers_may_use_these_commands(database: AnyDatabase, text: str) -> None:
    async with running_world(database, named_engineers=True) as world:
        harry = world.slack.add_person("Harry Home")
        await world.slack.admin.invite(world.channel, harry)
        await world.begin()

        assert "for HeavySet engineers" in (await world.type(text, harry)).text
        assert harry.view is None
        assert world.rows("SELECT status, revision FROM onboarding") == [("active", 0)]


async def test_old_buttons_of_a_paused_onboarding_say_it_is_on_hold(begun: World) -> None:
    step = begun.message("step:1")
    await begun.type("pause")

    await begun.ann.press_raw(step, "choose_account:new", f"{begun.onboarding}:1")
    await begun.idle()

    assert "This setup is on hold" in last_reply(begun.ann)


@pytest.mark.parametrize(
    "text", ["skip step 5", "skip #5", "skip: 5", "Skip\u00a05", "skip 5 acme", "skip acme step 5"]
)
async def test_a_step_is_named_in_many_ways(begun: World, text: str) -> None:
    await begun.walk_to(5)

    assert "Skipped step 5" in (await begun.type(text)).text


@pytest.mark.parametrize("text", ["skip 5, 6", "reopen 2-3"])
async def test_an_ambiguous_list_of_steps_is_not_read_as_a_single_step(
    begun: World, text: str
) -> None:
    await begun.walk_to(5)

    assert "Which step?" in (await begun.type(text)).text
    assert begun.current == 5


@pytest.mark.parametrize("text", ["assign @{}", "assign to @{}", "assign acme to @{}"])
async def test_an_engineer_is_named_in_many_ways(begun: World, text: str) -> None:
    max_ = begun.slack.add_person("Max Engineer")

    reply = await begun.type(text.format(max_.user.name))

    assert f"Reassigned to <@{max_.id}>" in reply.text


async def test_a_range_of_steps_can_be_skipped_or_marked_done(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert "Marked steps 2–4 done." in (await begun.type("done 2-4")).text
    assert begun.current == 5
    assert "Skipped steps 5–8." in (await begun.type("skip 3-8")).text.replace("3–8", "5–8")
    assert begun.current == 9
    assert "Not yet! Step 9" in (await begun.type("done 12-14")).text
    assert "can't be skipped" in (await begun.type("skip 9-25")).text
    assert begun.current == 9
