"""Guides other than the default, walked through in Slack from the command to “complete”."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Message, offers
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, last_reply, running_world
from tests.wrenchbook import ACCOUNT, KEY, Wrenchbook

WRONG_KEY = "wb_000000000000000000000000"
STATES = "SELECT client_name, guide, status FROM onboarding ORDER BY client_name"


def current(world: World, channel: Channel) -> Message | None:
    """Return the current step's message, or None once all steps are done."""
    onboarding = world.message("root", channel).payload["onboarding_id"]
    numbers = world.rows(
        "SELECT number FROM step WHERE state = 'current' AND onboarding_id = ?", onboarding
    )
    return world.message(f"step:{numbers[0][0]}", channel) if numbers else None


async def do_step(world: World, channel: Channel, values: Mapping[str, str]) -> bool:
    """Do what the current step offers, as someone allowed to; return False if none is left."""
    step = current(world, channel)
    if step is None:
        return False
    slot = step.slot or ""
    if choice := [option for option in ("new", "on") if offers(step, f"choose_account:{option}")]:
        await world.press(world.ann, slot, f"choose_account:{choice[0]}", channel)
        return True
    if values and offers(step, "enter_credentials"):
        await world.press(world.ann, slot, "enter_credentials", channel)
        form = world.view_of(world.ann)
        requested = {block["block_id"] for block in form.blocks if block["type"] == "input"}
        known_values = {name: value for name, value in values.items() if name in requested}
        assert (await world.submit(world.ann, form, **known_values)).ok
    is_for_engineer = offers(step, "reveal_credentials") or not offers(step, "hand_over")
    person = world.erin if is_for_engineer else world.ann
    action_id = "run_verification" if offers(step, "run_verification") else "step_done"
    await world.press(person, slot, action_id, channel)
    return True


async def do_remaining_steps(world: World, channel: Channel, values: Mapping[str, str]) -> None:
    """Take step after step until all are done."""
    for _ in range(30):
        if not await do_step(world, channel, values):
            return
    raise AssertionError(f"stuck at {current(world, channel)}")


async def walk_to(world: World, slot: str, values: Mapping[str, str]) -> None:
    for _ in range(30):
        step = current(world, world.channel)
        assert step, f"{slot} was never the current one"
        if step.slot == slot:
            return
        await do_step(world, world.channel, values)
    raise AssertionError(f"stuck before {slot}")


async def begin(world: World, text: str, channel: Channel | None = None, **values: str) -> None:
    await world.type(f"start {text}", channel=channel)
    answer = await world.submit(world.erin, world.view_of(world.erin), **values)
    assert answer.ok, answer


@ON_SQLITE
async def test_a_guide_folder_for_another_crm_works_end_to_end(
    database: AnyDatabase, tmp_path: Path
) -> None:
    async with (
        Wrenchbook() as crm,
        running_world(database, guides=str(crm.guide_in(tmp_path).parent)) as world,
    ):
        bolt = world.slack.add_channel("bolt", world.erin, world.ann)
        unknown = await world.type("start Acme Plumbing guide wrenchbok")
        assert "Did you mean `wrenchbook`?" in unknown.text
        assert "`servicetitan`: ServiceTitan CRM Integration" in unknown.text

        await begin(world, "Acme Plumbing guide wrenchbook")
        await begin(world, "Bolt Electric", bolt)
        root = world.message("root").text
        assert "Wrenchbook Integration" in root
        assert "0 of 5, then HeavySet does the last 3" in root
        assert "Phase 1 of 3" in root
        assert "0 of 22, then HeavySet does the last 3" in world.message("root", bolt).text
        status = (await world.type("status all")).text
        assert "of 8" in status
        assert "of 25" in status

        await world.ann.say(world.channel, "Which role do I need?", world.message("root").ts)
        await world.idle()
        assert "role Owner" in world.channel.messages[-1].text

        await walk_to(world, "step:5", {"account_number": ACCOUNT, "api_key": WRONG_KEY})
        assert "skipped" in world.message("step:3").text  # the add-on is already on
        await do_step(world, world.channel, {"account_number": ACCOUNT, "api_key": WRONG_KEY})
        failed = world.message("verification:1")
        assert failed.payload["outcome"] == "failed"
        assert "Wrenchbook didn't accept everything yet" in failed.text
        assert "create a new key at step 5" in failed.text
        assert "Almost! The last check needs a fix" in last_reply(world.ann)

        await world.press(world.ann, "verification:1", "enter_credentials")
        form = world.view_of(world.ann)
        assert (await world.submit(world.ann, form, account_number=ACCOUNT, api_key=KEY)).ok
        passed = world.message("verification:2")
        assert "Wrenchbook accepted both credentials" in passed.text
        assert not offers(world.message("step:5"), "test_booking")

        await do_remaining_steps(world, world.channel, {})
        assert world.rows(STATES) == [
            ("Acme Plumbing", "wrenchbook", "completed"),
            ("Bolt Electric", "servicetitan", "active"),
        ]
        assert "Your Wrenchbook connection was verified" in world.message("root").text
        assert KEY not in str(world.channel.messages) + str(world.engineering.messages)
        report = await world.type("report")
        assert report.notice is None
        await world.assert_consistent()


@ON_SQLITE
async def test_the_form_offers_a_choice_of_guides(database: AnyDatabase, tmp_path: Path) -> None:
    async with (
        Wrenchbook() as crm,
        running_world(database, guides=str(crm.guide_in(tmp_path).parent)) as world,
    ):
        await begin(world, "Acme Plumbing", guide="wrenchbook")

        assert world.rows(STATES) == [("Acme Plumbing", "wrenchbook", "active")]


@ON_SQLITE
async def test_a_guide_without_a_check_ends_with_its_last_step(
    database: AnyDatabase, tmp_path: Path
) -> None:
    async with Wrenchbook() as crm:
        folder = crm.guide_in(tmp_path)
        (folder / "checks.toml").write_text('[checks]\nby = "none"\n', "utf-8")
        text = (folder / "guide.toml").read_text("utf-8")
        (folder / "guide.toml").write_text(text.replace("verifies = true\n", ""), "utf-8")
        async with running_world(database, guides=str(tmp_path)) as world:
            await begin(world, "Acme Plumbing guide wrenchbook")
            await do_remaining_steps(
                world, world.channel, {"account_number": ACCOUNT, "api_key": KEY}
            )

            assert world.rows(STATES) == [("Acme Plumbing", "wrenchbook", "completed")]
            assert "Your Wrenchbook setup was finished" in world.message("root").text
            assert world.find("verification:1") is None
            text = str(
                [message.text for message in (*world.channel.messages, *world.engineering.messages)]
            )
            assert "8 of 8 steps, same day" in text
            assert "verified" not in text
            assert "There's no check for Wrenchbook" in (await world.type("verify Acme")).text
        assert not crm.requests


@ON_SQLITE
async def test_the_connect_guide_works_with_our_own_application_key(database: AnyDatabase) -> None:
    """The shorter ServiceTitan guide: it fails, recovers, and passes without a client's key."""
    key = ServiceTitanSandbox(seed=1).credentials["application_key"]
    async with running_world(database, servicetitan_application_key=key) as world:
        values = dict(world.servicetitan.credentials)
        assert values.pop("application_key") == key
        await begin(world, "Acme Plumbing guide servicetitan-connect")
        assert "0 of 11, then HeavySet does the last 3" in world.message("root").text
        wrong = {**values, "client_secret": values["client_secret"][:-1] + "0"}

        await walk_to(world, "step:11", wrong)
        failed = world.message("verification:1")
        assert "Generate a new one at step 10" in failed.text
        await world.press(world.ann, "verification:1", "enter_credentials")
        form = world.view_of(world.ann)
        again = {name: values[name] for name in ("client_id", "client_secret")}
        assert (await world.submit(world.ann, form, **again)).ok
        assert "ServiceTitan accepted all 4 credentials" in world.message("verification:2").text

        await do_remaining_steps(world, world.channel, {})
        assert world.rows(STATES) == [("Acme Plumbing", "servicetitan_connect", "completed")]
        assert key not in str(world.channel.messages) + str(world.engineering.messages)

        world.servicetitan.application_key = "ak1.another"
        await world.type("verify Acme")
        found = world.message("verification:4")
        assert found.payload["outcome"] == "unknown"
        assert "nothing you entered" in found.text


@ON_SQLITE
async def test_the_connect_guide_is_not_offered_without_our_application_key(world: World) -> None:
    refused = await world.type("start Acme Plumbing guide servicetitan_connect")

    assert "the operator has to set SERVICETITAN_APPLICATION_KEY" in refused.text
    await world.type("start Acme Plumbing")
    assert "guide" not in {block["block_id"] for block in world.view_of(world.erin).blocks}
