"""Questions in the thread: answered from the guide, or open until an engineer closes them."""

from sandbox.slack import Person
from tests.databases import AnyDatabase
from tests.integration.world import World, last_reply, running_world

KNOWN = "where do I find the application key?"
UNKNOWN = "what does the web scheduler cost per month?"


async def ask(
    world: World, text: str, person: Person | None = None, *, in_thread: bool = True
) -> None:
    thread_ts = world.message("root").ts if in_thread else None
    await (person or world.ann).say(world.channel, text, thread_ts)
    await world.slack.delivered()
    await world.idle()


async def test_a_question_the_guide_covers_is_answered_in_the_thread(begun: World) -> None:
    await ask(begun, KNOWN)

    answer = begun.message("answer:1")
    assert answer.thread_ts == begun.message("root").ts
    assert "here's what the guide says" in answer.text
    assert "step 22" in answer.text
    assert begun.events("help_asked") == []
    assert not [text for text in begun.announced if "needs help" in text]


async def test_a_follow_up_after_an_unhelpful_answer_goes_to_the_engineer(begun: World) -> None:
    await ask(begun, KNOWN)

    form = await begun.open(begun.ann, "answer:1", "step_help")
    await begun.submit(begun.ann, form, question="I looked there, it is not on the page.")

    assert [text for text in begun.announced if "it is not on the page" in text]


async def test_a_question_the_guide_does_not_cover_goes_to_the_engineer(begun: World) -> None:
    await ask(begun, UNKNOWN)

    [announced] = [text for text in begun.announced if "needs help" in text]
    assert "cost per month" in announced
    assert begun.erin.id in last_reply(begun.ann)
    assert "1 question" in begun.message("root").text
    assert "1 open question" in (await begun.type("status")).text


async def test_an_engineer_who_replies_is_asked_if_the_question_is_answered(begun: World) -> None:
    await ask(begun, UNKNOWN)

    await ask(begun, "Great seeing you at the trade show!", begun.erin)
    [reply] = begun.erin.ephemerals
    assert f"Did that answer <@{begun.ann.id}>'s question?" in reply.text
    await begun.erin.press(reply, "not_answered")
    await begun.idle()
    assert "1 question" in begun.message("root").text

    await ask(begun, UNKNOWN.replace("month", "year"))
    await ask(begun, "Ann, I'll send you our prices.", begun.erin)
    await begun.erin.press(begun.erin.ephemerals[-1], "mark_answered:2")
    await begun.idle()
    assert begun.events("help_answered") == [(begun.erin.id, 1)]
    assert "1 open question" in (await begun.type("status")).text


async def test_the_announcement_has_a_button_that_closes_the_question(begun: World) -> None:
    await ask(begun, UNKNOWN)
    [announcement] = [
        message for message in begun.engineering.messages if "needs help" in message.text
    ]

    await begun.erin.press(announcement, "mark_answered")
    await begun.idle()

    [announcement] = [
        message for message in begun.engineering.messages if "needs help" in message.text
    ]
    assert "Answered" in announcement.text
    assert "Mark answered" not in announcement.text
    assert "open question" not in begun.message("root").text.lower()


async def test_closing_a_question_updates_only_its_own_announcement(begun: World) -> None:
    await ask(begun, UNKNOWN)
    await ask(begun, UNKNOWN.replace("month", "year"))
    first, second = [
        message for message in begun.engineering.messages if "needs help" in message.text
    ]

    await begun.erin.press(second, "mark_answered")
    await begun.idle()

    edited = {call.arguments["ts"] for call in begun.slack.calls_of("chat.update")}
    assert second.ts in edited
    assert first.ts not in edited


async def test_a_reply_in_the_engineering_channel_can_be_sent_to_the_thread(begun: World) -> None:
    await ask(begun, UNKNOWN)
    [announcement] = [
        message for message in begun.engineering.messages if "needs help" in message.text
    ]

    await begun.erin.say(
        begun.engineering, "Nothing, it's <in> your plan", announcement.thread_ts or announcement.ts
    )
    await begun.slack.delivered()
    await begun.idle()
    await begun.erin.press(begun.erin.ephemerals[-1], "send_to_thread")
    await begun.idle()

    reply = begun.message("reply:1").text
    assert "Nothing, it's &lt;in&gt; your plan" in reply
    assert f"<@{begun.ann.id}>, <@{begun.erin.id}> of HeavySet Tech writes" in reply
    assert begun.events("help_answered") == [(begun.erin.id, 1)]


async def test_shortcuts_send_replies_close_questions_and_add_notes(begun: World) -> None:
    await ask(begun, UNKNOWN)
    asked = begun.channel.messages[-1]
    announcement = begun.engineering.messages[-1]
    thread_ts = announcement.thread_ts or announcement.ts
    hint = await begun.erin.say(begun.engineering, "It is the free plan.", thread_ts)

    await begun.erin.use_shortcut(hint, "note_to_history")
    await begun.erin.use_shortcut(asked, "mark_question_answered")
    await begun.erin.use_shortcut(hint, "send_to_client_thread")
    await begun.idle()

    assert begun.events("noted") == [(begun.erin.id, None)]
    assert begun.events("help_answered") == [(begun.erin.id, 1)]
    assert "It is the free plan." in begun.message("reply:1").text


async def test_only_engineers_can_use_shortcuts(database: AnyDatabase) -> None:
    async with running_world(database, named_engineers=True) as world:
        await world.begin()
        await ask(world, UNKNOWN)
        sam = world.slack.add_person("Sam Sales")
        world.channel.members[sam.id] = sam.user
        await sam.use_shortcut(world.channel.messages[-1], "mark_question_answered")
        await world.idle()

        assert "for HeavySet engineers" in last_reply(sam)
        assert not world.events("help_answered")


async def test_a_clients_own_reply_does_not_close_the_question(begun: World) -> None:
    await ask(begun, UNKNOWN)
    await ask(begun, "It is about our budget.")

    assert "1 question" in begun.message("root").text


async def test_an_engineer_is_answered_only_if_they_mention_the_bot(begun: World) -> None:
    await ask(begun, KNOWN, begun.erin)
    assert begun.find("answer:1") is None

    await ask(begun, f"<@{begun.slack.bot.id}> {KNOWN}", begun.erin)
    assert begun.find("answer:1") is not None


async def test_a_channel_question_is_answered_only_if_it_mentions_the_bot(begun: World) -> None:
    await ask(begun, KNOWN, in_thread=False)
    assert begun.find("answer:1") is None

    await ask(begun, f"<@{begun.slack.bot.id}> {KNOWN}", in_thread=False)
    assert begun.find("answer:1") is not None
    assert "I answered in the thread" in last_reply(begun.ann)


async def test_a_very_long_question_is_still_announced(begun: World) -> None:
    await ask(begun, "what does it cost? " + "really & " * 3000 + "?")

    [announced] = [text for text in begun.announced if "needs help" in text]
    assert "what does it cost?" in announced


async def test_markup_in_a_question_is_escaped(begun: World) -> None:
    await ask(begun, "where do I find the application key & what now?")

    blocks = str(begun.message("answer:1").blocks)
    assert "application key &amp; what now?" in blocks
