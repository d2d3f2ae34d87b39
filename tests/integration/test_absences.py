"""An engineer is away: a colleague covers their clients until the morning they return."""

import pytest
from freezegun import freeze_time

from tests.databases import ON_BOTH, ON_SQLITE, AnyDatabase
from tests.integration.world import CLIENT_NAME, World, last_reply, running_world

# A Friday, noon in New York; Monday is the next business day.
FRIDAY, MONDAY_MORNING = "2026-03-06 17:00", "2026-03-09 13:00:30"
ASSIGNMENTS = "SELECT client_name, engineer, covers_for FROM onboarding ORDER BY client_name"


def absence_announcements(world: World) -> list[str]:
    return [text for text in world.announced if "away until" in text or "is back" in text]


@ON_BOTH
async def test_an_absent_engineers_clients_go_to_a_colleague_and_return(
    database: AnyDatabase,
) -> None:
    with freeze_time(FRIDAY, tick=True, real_asyncio=True) as clock:
        async with running_world(database) as world:
            lee, max_ = (world.slack.add_person(name) for name in ("Lee Engineer", "Max Engineer"))
            erin = world.erin
            await world.begin()
            await world.begin("Bolt Plumbing", world.slack.add_channel("bolt", erin))
            texts = [message.text for message in world.channel.messages]

            reply = await world.type(f"away until Monday <@{lee.id}>", channel=world.engineering)
            await world.type(f"assign <@{max_.id}> bolt", channel=world.engineering)
            await world.begin("Zenith", world.slack.add_channel("zenith", erin))
            await world.idle()

            assert f"<@{lee.id}> has your 2 open clients until then" in reply.text
            assert "2026-03-09 13:00 UTC" in reply.text
            assert world.rows(ASSIGNMENTS) == [
                (CLIENT_NAME, lee.id, erin.id),
                ("Bolt Plumbing", max_.id, None),
                ("Zenith", lee.id, erin.id),
            ]
            assert (
                f"engineer: <@{lee.id}>, while <@{erin.id}> is away" in world.message("root").text
            )
            assert len(world.channel.messages) == len(texts)
            [line] = absence_announcements(world)
            assert f"<@{erin.id}> is away until" in line
            assert f"<@{lee.id}> has their 2 open clients until then" in line
            await world.ann.say(world.channel, "help where is it?", world.message("root").ts)
            await world.slack.delivered()
            await world.idle()
            assert f"🙋 <@{lee.id}>, " in world.announced[-1]

            clock.move_to(MONDAY_MORNING)
            async with world.second_bot() as other:
                await world.bot.use_cases.absences.look()
                await other.use_cases.absences.look()
                await world.idle()

            assert world.rows(ASSIGNMENTS) == [
                (CLIENT_NAME, erin.id, None),
                ("Bolt Plumbing", max_.id, None),
                ("Zenith", erin.id, None),
            ]
            assert absence_announcements(world)[1:] == [
                f"👋 <@{erin.id}> is back and has 2 open clients. Thanks, <@{lee.id}>!"
            ]
            assert "while" not in world.message("root").text
            assert world.rows("SELECT count(*) FROM absence") == [(0,)]
            await world.type("history")
            history = str(world.view_of(erin).blocks)
            assert f"from <@{erin.id}> to <@{lee.id}>, who covers until" in history
            assert f"from <@{lee.id}> to <@{erin.id}>, who is back" in history


@ON_SQLITE
async def test_back_ends_an_absence_and_returns_clients_assigned_during_it(
    database: AnyDatabase,
) -> None:
    with freeze_time(FRIDAY, tick=True, real_asyncio=True):
        async with running_world(database) as world:
            lee, max_ = (world.slack.add_person(name) for name in ("Lee Engineer", "Max Engineer"))
            erin = world.erin
            await world.begin()
            await world.type(f"assign <@{max_.id}>")
            assert "You aren't away." in (await world.type("away")).text
            assert "You aren't away." in (await world.type("back")).text
            await world.type(f"away <@{lee.id}> till Dec 1st")

            assigned = await world.type(f"assign <@{erin.id}>")
            again = await world.type(f"assign <@{erin.id}>")
            assert f"to <@{erin.id}> (away: <@{lee.id}> covers)" in assigned.text
            assert f"<@{lee.id}> has this one until <@{erin.id}> is back" in again.text
            assert world.rows(ASSIGNMENTS) == [(CLIENT_NAME, lee.id, erin.id)]
            assert "You're away until" in (await world.type("away?")).text
            await world.type(f"Away “until: Friday”, <@{max_.id}>!")
            assert world.rows(ASSIGNMENTS) == [(CLIENT_NAME, max_.id, erin.id)]
            assert len(absence_announcements(world)) == 2
            await world.type(f"away <@{lee.id}> till Dec 1st")
            assert f"<@{lee.id}> (for <@{erin.id}>)" in (await world.type("status")).text

            await world.type(f"assign <@{max_.id}> all of <@{erin.id}>")
            assert world.rows(ASSIGNMENTS) == [(CLIENT_NAME, max_.id, None)]
            await world.type(f"assign <@{erin.id}> all of <@{max_.id}>")
            assert "Welcome back!" in (await world.type("away: I'm back!")).text
            assert world.rows(ASSIGNMENTS) == [(CLIENT_NAME, erin.id, None)]


@ON_SQLITE
async def test_a_covering_engineer_can_be_away_too_and_keeps_their_own_clients(
    database: AnyDatabase,
) -> None:
    with freeze_time(FRIDAY, tick=True, real_asyncio=True):
        async with running_world(database) as world:
            lee, max_ = (world.slack.add_person(name) for name in ("Lee Engineer", "Max Engineer"))
            for person in (lee, max_):
                await world.slack.admin.invite(world.engineering, person)
            await world.begin()
            await world.begin("Bolt", world.slack.add_channel("bolt", world.erin))
            await world.type(f"away until 2026-03-20 <@{lee.id}>")
            await world.type(f"assign <@{lee.id}> bolt")  # permanently, not while Erin is away

            away = f"away until Wednesday <@{world.erin.id}>"
            refused = await world.type(away, lee, world.engineering)
            await world.type(f"away until Wednesday <@{max_.id}>", lee, world.engineering)
            assert f"<@{world.erin.id}> is away too" in refused.text
            assert world.rows(ASSIGNMENTS) == [
                (CLIENT_NAME, max_.id, world.erin.id),
                ("Bolt", max_.id, lee.id),
            ]

            await world.type(
                f"away until 2026-03-23 <@{max_.id}>"
            )  # the same colleague: nothing changes
            assert world.rows(ASSIGNMENTS)[0] == (CLIENT_NAME, max_.id, world.erin.id)
            await world.type("back")
            await world.type("back", lee, world.engineering)
            assert world.rows(ASSIGNMENTS) == [
                (CLIENT_NAME, world.erin.id, None),
                ("Bolt", lee.id, None),
            ]


@ON_SQLITE
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("away until Monday", "Who covers for you?"),
        ("away <@{lee}>", "Until when?"),
        ("away until Monday <@{erin}>", "That's you."),
        ("away until Monday <@{ann}>", "isn't a HeavySet engineer"),
        ("away until Monday <@{gus}>", "isn't a HeavySet engineer"),
        ("away until Monday @nobody", "I don't know who @nobody is"),
        ("away until sometime <@{lee}>", "I can't read “sometime” as a day. For example:"),
        ("away until today <@{lee}>", "isn't in the future. For example:"),
        ("away until 2026-03-01 <@{lee}>", "isn't in the future"),
        ("away until 2036-03-01 <@{lee}>", "more than a year"),
    ],
)
async def test_an_unclear_or_impossible_absence_is_refused(
    database: AnyDatabase, text: str, expected: str
) -> None:
    with freeze_time(FRIDAY, tick=True, real_asyncio=True):
        async with running_world(database) as world:
            lee, gus = world.slack.add_person("Lee Engineer"), world.slack.add_person("Gus Guest")
            gus.user.deleted = True
            people = {"lee": lee.id, "gus": gus.id, "erin": world.erin.id, "ann": world.ann.id}

            assert expected in (await world.type(text.format(**people))).text
            assert world.rows("SELECT count(*) FROM absence") == [(0,)]
            assert not last_reply(lee)
