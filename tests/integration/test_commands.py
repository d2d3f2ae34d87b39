"""`/servicetitan status`, `help` and everything else: answered in the acknowledgement itself."""

import time

import pytest

from sandbox.slack import CommandReply
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import CLIENT_NAME, World, from_now, running_world


def acknowledged_text(reply: CommandReply) -> str:
    """The reply's text, provided the acknowledgement carries it and only the person sees it."""
    answer = reply.ack.json() or {}
    assert answer["response_type"] == "ephemeral"
    assert answer["text"] == reply.text
    return reply.text


async def test_status_shows_how_far_this_channels_client_is(begun: World) -> None:
    await begun.walk_to(3)

    text = acknowledged_text(await begun.type("status"))

    assert "Acme Plumbing" in text
    assert "Acme Plumbing · 2 of 25 · " in text
    assert "step 3: Access the ServiceTitan Developer Portal" in text
    assert "waiting on the client" in text
    assert "last activity less than a minute ago" in text
    assert begun.message("root").ts.replace(".", "") in text


async def test_status_says_when_it_is_heavysets_turn(begun: World) -> None:
    await begun.walk_to(23)

    assert "waiting on us" in (await begun.type("status")).text


async def test_status_shows_how_long_a_client_has_been_inactive(begun: World) -> None:
    begun.write("UPDATE onboarding SET active_at = ?", from_now(days=-3, hours=-1))

    assert "last activity 3 days ago" in (await begun.type("status")).text


@ON_BOTH
async def test_status_in_other_channels_lists_all_clients_longest_idle_first(begun: World) -> None:
    beta = begun.slack.add_channel("beta", begun.erin)
    await begun.begin("Beta & Sons", beta)
    begun.write("UPDATE onboarding SET active_at = ? WHERE channel = ?", from_now(days=-1), beta.id)

    text = acknowledged_text(await begun.type("status", channel=begun.engineering))

    assert "2 active onboardings" in text
    assert text.index("Beta &amp; Sons") < text.index("Acme Plumbing")


async def test_status_without_any_onboarding_says_how_to_start_one(world: World) -> None:
    text = acknowledged_text(await world.type("status"))

    assert "Nothing in progress" in text
    assert "/servicetitan start" in text


async def test_status_after_the_end_says_completed(begun: World) -> None:
    await begun.walk_to(25)
    await begun.press(begun.erin, "step:25", "run_verification")

    text = (await begun.type("status")).text

    assert "25 of 25 ·" in text
    assert "completed" in text


async def test_status_looks_up_the_user_once_and_asks_slack_nothing_else(world: World) -> None:
    await world.idle()
    before = len(world.slack.calls)
    await world.type("status")
    methods = [call.method for call in world.slack.calls[before:]]

    await world.type("status")

    assert methods == ["users.info"]
    assert [call.method for call in world.slack.calls[before:]] == methods


@pytest.mark.parametrize("text", ["help", "", "HELP", "  help  me "])
async def test_help_lists_the_commands(world: World, text: str) -> None:
    answer = acknowledged_text(await world.type(text))

    assert "/servicetitan start [client]" in answer
    assert "/servicetitan status" in answer


@pytest.mark.parametrize(("typed", "suggestion"), [("stauts", "status"), ("STARTT Acme", "start")])
async def test_an_unknown_command_gets_help_and_the_nearest_match(
    world: World, typed: str, suggestion: str
) -> None:
    answer = acknowledged_text(await world.type(typed))

    assert "I don't know that command" in answer
    assert f"Did you mean /servicetitan {suggestion}" in answer.replace("`", "")
    assert "/servicetitan help" in answer


async def test_an_unrecognizable_command_gets_help_without_a_suggestion(world: World) -> None:
    answer = acknowledged_text(await world.type("<!channel> frobnicate"))

    assert "I don't know that command" in answer
    assert "Did you mean" not in answer
    assert "<!channel>" not in answer


@pytest.mark.parametrize("text", ["status", "help", "start Acme", "frobnicate"])
async def test_every_command_is_refused_to_non_engineers(database: AnyDatabase, text: str) -> None:
    async with running_world(database, named_engineers=True) as world:
        harry = world.slack.add_person("Harry Home")
        await world.slack.admin.invite(world.channel, harry)
        await world.begin()

        answer = acknowledged_text(await world.type(text, harry))

        assert "This command is for HeavySet engineers" in answer
        assert "Acme" not in answer


async def test_members_of_a_user_group_are_engineers(database: AnyDatabase) -> None:
    async with running_world(database) as world:
        max_ = world.slack.add_person("Max Engineer")
        harry = world.slack.add_person("Harry Home")
        group = world.slack.add_usergroup(max_)
        for person in (max_, harry):
            await world.slack.admin.invite(world.channel, person)

        async with world.second_bot(engineers=[group]) as bot:
            world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")

            assert "Nothing in progress" in (await world.type("status", max_)).text
            assert "for HeavySet engineers" in (await world.type("status", harry)).text


@pytest.mark.slow_slack
@pytest.mark.virtual_time
async def test_when_slack_is_slow_the_bot_says_so_within_three_seconds(world: World) -> None:
    world.slack.fail_next("users.info", hang=4)
    began = time.monotonic()

    reply = await world.type("status")

    assert time.monotonic() - began < 3
    assert reply.notice is None
    assert "Slack is slow right now" in acknowledged_text(reply)


async def test_when_slack_fails_the_bot_asks_to_try_again(world: World) -> None:
    world.slack.fail_next("users.info", status=500)

    first, second = await world.type("status"), await world.type("status")

    assert "Please try again" in acknowledged_text(first)
    assert "Nothing in progress" in second.text


# --- lenient parsing of what people type ---


SPELLINGS_OF_ACME = [
    "status\u00a0acme",
    "\u200bstatus acme",
    "status: acme",
    "status “acme”",
    "status #acme",
    "status {channel}",
    "*status* acme plumbing!",
    "`status acme`",
    "ＳＴＡＴＵＳ　ａｃｍｅ",
    "status, Acme, Plumbing.",
    "status all acme",
    "credentials #acme",
    "verify “Acme”",
    "remind acme.",
    "pause <#{id}|>",
]


@ON_BOTH
async def test_a_client_is_found_however_its_name_is_typed(
    begun: World, subtests: pytest.Subtests
) -> None:
    await begun.begin("Zenith & Sons, Inc.", begun.slack.add_channel("zenith", begun.erin))
    for text in SPELLINGS_OF_ACME:
        typed = text.format(channel="#acme", id=begun.channel.id)

        reply = await begun.type(typed, channel=begun.engineering)

        with subtests.test(text):
            found = "check yet" if text.startswith("verify") else "Acme Plumbing"
            assert found in reply.text
            assert "Zenith" not in reply.text


@ON_BOTH
async def test_punctuation_in_a_name_does_not_matter(
    begun: World, subtests: pytest.Subtests
) -> None:
    zenith = begun.slack.add_channel("zenith", begun.erin)
    await begun.begin("Zenith & Sons, Inc. (Smith’s)", zenith)
    for name in ("zenith sons inc", "Smith", "zenith & sons", f"<#{zenith.id}|zenith>"):
        reply = await begun.type(f"status {name}", channel=begun.engineering)

        with subtests.test(name):
            assert "Zenith &amp; Sons" in reply.text
            assert "Acme" not in reply.text


@pytest.mark.parametrize("text", ["--help", "-h", "?", "—help", "help!", "`help`"])
async def test_common_spellings_of_help_are_understood(world: World, text: str) -> None:
    answer = acknowledged_text(await world.type(text))

    assert "/servicetitan start [client]" in answer
    assert "don't know" not in answer


async def test_status_of_a_channel_without_an_onboarding_says_so(begun: World) -> None:
    empty = begun.slack.add_channel("empty", begun.erin)

    reply = await begun.type(f"status <#{empty.id}|empty>")

    assert f"no onboarding in <#{empty.id}>" in reply.text


async def test_status_filters_by_mine_and_stuck_and_finds_finished_clients(begun: World) -> None:
    beta = begun.slack.add_channel("beta", begun.erin)
    await begun.begin("Beta Heating", beta)
    begun.write("UPDATE onboarding SET engineer = 'U0OTHER' WHERE client_name = 'Beta Heating'")
    begun.write("UPDATE onboarding SET open_questions = 1 WHERE client_name = 'Beta Heating'")

    mine = (await begun.type("status mine", channel=begun.engineering)).text
    assert CLIENT_NAME in mine
    assert "Beta Heating" not in mine
    stuck = (await begun.type("status stuck", channel=begun.engineering)).text
    assert "Beta Heating" in stuck
    assert CLIENT_NAME not in stuck

    begun.write("UPDATE onboarding SET status = 'completed' WHERE client_name = 'Beta Heating'")
    for text in ("status beta", "status all beta"):
        assert "Beta Heating" in (await begun.type(text, channel=begun.engineering)).text
