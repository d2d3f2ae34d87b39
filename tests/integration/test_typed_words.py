"""Typed words in the thread: a way for people whose organization blocks Slack buttons."""

import pytest

from sandbox.slack import Person
from tests.integration.world import World, last_reply


async def say(
    world: World, text: str, person: Person | None = None, *, in_thread: bool = True
) -> None:
    thread_ts = world.message("root").ts if in_thread else None
    await (person or world.ann).say(world.channel, text, thread_ts)
    await world.slack.delivered()
    await world.idle()


async def test_the_first_steps_can_be_done_by_typing_alone(begun: World) -> None:
    await say(begun, "new")
    await say(begun, "Done!")
    await say(begun, "done")

    assert begun.current == 4
    assert not begun.ann.ephemerals


async def test_undo_takes_back_the_last_step(begun: World) -> None:
    await say(begun, "existing")
    await say(begun, "done")
    await say(begun, "undo")

    assert begun.current == 3


async def test_typing_done_at_a_question_lists_the_possible_answers(begun: World) -> None:
    await say(begun, "done")

    assert begun.current == 1
    assert "Create a new account" in last_reply(begun.ann)


async def test_status_and_help_are_answered_privately(begun: World) -> None:
    messages = len(begun.channel.messages)

    await say(begun, "status")
    assert "Next: step 1" in last_reply(begun.ann)
    await say(begun, "help")
    assert "Step 1" in last_reply(begun.ann)

    assert len(begun.channel.messages) == messages + 2  # what Ann wrote herself


async def test_a_question_after_help_goes_to_the_engineer(begun: World) -> None:
    await say(begun, "help Where do I send <our contract>?")

    [announcement] = [text for text in begun.announced if "needs help" in text]
    assert "Where do I send &lt;our contract&gt;?" in announcement
    assert begun.erin.id in last_reply(begun.ann)


async def test_ordinary_conversation_is_ignored(begun: World) -> None:
    for text in ("thanks", "Done?", "I'll do it after lunch", "Ben, can you do this today?"):
        await say(begun, text)
    for text in ("Done.", "new", "Is the dot green?", "I can't see your screen"):
        await say(begun, text, begun.erin)

    assert begun.current == 1
    assert not begun.ann.ephemerals
    assert not begun.erin.ephemerals
    assert not begun.events("refused")
    assert not begun.events("help_asked")


async def test_an_engineer_can_do_a_step_by_mentioning_the_bot(begun: World) -> None:
    await say(begun, f"<@{begun.slack.bot.id}> new", begun.erin)

    assert begun.current == 2


async def test_done_followed_by_whats_next_counts_as_done(begun: World) -> None:
    await say(begun, "new account")
    await say(begun, "Done, what's next?")

    assert begun.current == 3
    assert not begun.ann.ephemerals


async def test_a_problem_is_answered_from_the_guide_or_sent_to_the_engineer(begun: World) -> None:
    await say(begun, "new")
    await say(begun, "the dot is not green")
    assert "confirm that the tenant authorization steps" in begun.message("answer:1").text

    await say(begun, "it keeps spinning and then says access denied")
    assert "access denied" in begun.announced[-1]
    assert begun.erin.id in last_reply(begun.ann)


async def test_ambiguous_messages_prompt_for_confirmation_only_once(begun: World) -> None:
    await say(begun, "new")
    await say(begun, "I think we are done here")
    await say(begun, "should be done now")

    [reply] = begun.ann.ephemerals
    await begun.ann.press(reply, "mark_step_done")
    await begun.idle()
    assert begun.current == 3
    assert "Marked step 2 done" in last_reply(begun.ann)


async def test_an_ambiguous_message_can_be_sent_to_the_engineer(begun: World) -> None:
    await say(begun, "new")
    await say(begun, "I gave you admin access")
    assert f"Send to @{begun.erin.user.name}" in last_reply(begun.ann)
    await begun.ann.press(begun.ann.ephemerals[-1], "send_to_engineer")
    await begun.idle()

    assert "I gave you admin access" in begun.announced[-1]
    assert begun.current == 2


async def test_the_just_chatting_button_changes_nothing(begun: World) -> None:
    await say(begun, "new")
    await say(begun, "I gave you admin access")
    await begun.ann.press(begun.ann.ephemerals[-1], "just_chatting")
    await begun.idle()

    assert "I'll stay out of it" in last_reply(begun.ann)
    assert begun.current == 2


async def test_a_repeatedly_edited_message_is_acted_on_only_once(begun: World) -> None:
    await say(begun, "new")
    thread_ts = begun.message("root").ts
    written = await begun.ann.say(begun.channel, "don", thread_ts)
    for text in ("done", "done!", "Done!!"):
        await begun.ann.edit(written, text)
        await begun.slack.delivered()
        await begun.idle()

    assert begun.current == 3


async def test_words_outside_the_thread_are_ignored(begun: World) -> None:
    await say(begun, "new", in_thread=False)

    assert begun.current == 1
    assert not begun.ann.ephemerals


async def test_a_mention_is_always_answered(begun: World) -> None:
    bot = begun.slack.bot.id

    await say(begun, f"<@{bot}> hello there", in_thread=False)

    assert "You can type" in last_reply(begun.ann)


async def test_a_mention_outside_the_thread_can_carry_an_answer(begun: World) -> None:
    await say(begun, f"<@{begun.slack.bot.id}> new", in_thread=False)

    assert begun.current == 2


async def test_a_guest_with_no_role_is_refused_privately(begun: World) -> None:
    gus = begun.slack.add_person("Gus Guest", is_restricted=True)
    begun.channel.members[gus.id] = gus.user

    await say(begun, "new", gus)

    assert begun.current == 1
    assert "Only the client's team" in last_reply(gus)


async def test_editing_and_deleting_a_message_causes_no_errors(begun: World) -> None:
    thread_ts = begun.message("root").ts
    written = await begun.ann.say(begun.channel, "hello", thread_ts)
    await begun.ann.edit(written, "hello there")
    await begun.ann.delete(written)
    await begun.slack.delivered()
    await begun.idle()

    assert begun.current == 1
    assert all(delivery.ack.ok for delivery in begun.slack.deliveries)


async def test_an_answer_that_cannot_be_private_goes_to_the_thread(begun: World) -> None:
    begun.slack.fail_next("chat.postEphemeral", error="user_not_in_channel")

    await say(begun, "status")

    answer = begun.channel.messages[-1]
    assert "Next: step 1" in answer.text
    assert answer.slot is not None
    assert answer.slot.startswith("answer:")


@pytest.mark.parametrize(
    "word",
    ["\u202aexisting\u202c", "*existing*", "“Existing”!", "existing\u200b.", "ｅｘｉｓｔｉｎｇ"],
)
async def test_a_word_is_recognized_despite_formatting_and_punctuation(
    begun: World, word: str
) -> None:
    await say(begun, word)

    assert begun.current == 3


async def test_links_in_a_question_are_kept_as_typed(begun: World) -> None:
    await say(begun, "help the page acme.com/start?a=1&b=2 is blank, mail ann@acme.com")

    [(detail,)] = begun.rows("SELECT detail FROM event WHERE kind = 'help_asked'")
    assert "the page acme.com/start?a=1&b=2 is blank, mail ann@acme.com" in str(detail)
