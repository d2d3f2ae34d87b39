"""*I've already done more steps*: for clients who started out with the written guide."""

from sandbox.slack import visible_text
from tests.integration.world import World


async def report_done_through(world: World, last_step: str) -> None:
    await world.open(world.ann, f"step:{world.current}", "step_help")
    await world.ann.press(world.view_of(world.ann), "already_done")
    await world.idle()
    answer = await world.submit(world.ann, world.view_of(world.ann), last_step=last_step)
    assert answer.ok, answer


def states(world: World) -> str:
    rows = world.rows("SELECT state FROM step ORDER BY number")
    return "".join(state[0] for (state,) in rows)


async def test_catching_up_marks_steps_done_except_those_needing_a_credential(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")

    await report_done_through(begun, "17")

    assert begun.current == 11
    assert states(begun) == "d" * 10 + "c" + "d" * 6 + "w" * 8
    assert f"— <@{begun.ann.id}>" in begun.message("step:10").text
    ids = {"booking_provider_id": begun.servicetitan.credentials["booking_provider_id"]}
    assert (await begun.enter(begun.ann, 11, **ids)).ok
    await begun.press(begun.ann, "step:11", "step_done")
    assert begun.current == 18


async def test_typing_undo_reopens_the_step_before_the_current_one(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    await report_done_through(begun, "17")

    await begun.ann.say(begun.channel, "undo", begun.message("root").ts)
    await begun.slack.delivered()
    await begun.idle()

    assert begun.current == 10


async def test_catching_up_is_not_offered_at_a_question_or_the_last_step(
    begun: World,
) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")
    assert "already done more" not in visible_text(form)

    await begun.walk_to(22)
    form = await begun.open(begun.ann, "step:22", "step_help")
    assert "already done more" not in visible_text(form)
