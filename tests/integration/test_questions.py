"""Questions in the thread: answered from the guide, or open until an engineer writes."""

from sandbox.slack import Person
from tests.integration.world import World, told

KNOWN = "where do I find the application key?"
UNKNOWN = "what does the web scheduler cost per month?"


async def ask(
    world: World, text: str, person: Person | None = None, *, in_thread: bool = True
) -> None:
    thread_ts = world.message("root").ts if in_thread else None
    await (person or world.ann).say(world.channel, text, thread_ts)
    await world.slack.delivered()
    await world.idle()


async def test_what_the_guide_knows_is_answered_in_the_thread(begun: World) -> None:
    await ask(begun, KNOWN)

    answer = begun.message("answer:1")
    assert answer.thread_ts == begun.message("root").ts
    assert "this is what the guide says" in answer.text
    assert "Step 22" in answer.text
    assert begun.events("help_asked") == []
    assert not [text for text in begun.announced if "needs help" in text]


async def test_an_answer_that_does_not_help_leads_to_the_engineer(begun: World) -> None:
    await ask(begun, KNOWN)

    form = await begun.open(begun.ann, "answer:1", "step_help")
    await begun.submit(begun.ann, form, question="I looked there, it is not on the page.")

    assert [text for text in begun.announced if "it is not on the page" in text]


async def test_what_it_does_not_know_goes_to_the_engineer(begun: World) -> None:
    await ask(begun, UNKNOWN)

    [announced] = [text for text in begun.announced if "needs help" in text]
    assert "cost per month" in announced
    assert begun.erin.id in told(begun.ann)
    assert "Open question" in begun.message("root").text
    assert "1 question open" in (await begun.type("status")).text


async def test_an_engineers_reply_in_the_thread_closes_it(begun: World) -> None:
    await ask(begun, UNKNOWN)
    await ask(begun, "and when does it start?")

    await ask(begun, "Hi Ann, I write you an e-mail about that.", begun.erin, in_thread=False)
    assert "2 open questions" in begun.message("root").text.replace("*", "")
    await ask(begun, "Hi Ann, I write you an e-mail about that.", begun.erin)

    assert "open question" not in begun.message("root").text.lower()
    assert "question open" not in (await begun.type("status")).text
    assert len(begun.events("help_answered")) == 1


async def test_the_client_does_not_close_it(begun: World) -> None:
    await ask(begun, UNKNOWN)
    await ask(begun, "It is about our budget.")

    assert "Open question" in begun.message("root").text


async def test_engineers_talk_without_being_answered(begun: World) -> None:
    await ask(begun, KNOWN, begun.erin)
    assert begun.find("answer:1") is None

    await ask(begun, f"<@{begun.slack.bot.id}> {KNOWN}", begun.erin)
    assert begun.find("answer:1") is not None


async def test_a_question_in_the_channel_is_answered_if_we_are_mentioned(begun: World) -> None:
    await ask(begun, KNOWN, in_thread=False)
    assert begun.find("answer:1") is None

    await ask(begun, f"<@{begun.slack.bot.id}> {KNOWN}", in_thread=False)
    assert begun.find("answer:1") is not None
    assert "I answered in the thread" in told(begun.ann)


async def test_a_very_long_question_is_told_in_part(begun: World) -> None:
    await ask(begun, "what does it cost? " + "really & " * 3000 + "?")

    [announced] = [text for text in begun.announced if "needs help" in text]
    assert "what does it cost?" in announced


async def test_markup_in_a_question_is_shown_as_it_is(begun: World) -> None:
    await ask(begun, "where do I find the application key & what now?")

    blocks = str(begun.message("answer:1").blocks)
    assert "application key &amp; what now?" in blocks
