"""Either side can do a client's step: it's handed over, done by the engineer, or given back."""

from tests.integration.world import World


async def test_handing_over_a_step_notifies_the_engineer_with_a_link(begun: World) -> None:
    await begun.walk_to(4)

    await begun.press(begun.ann, "step:4", "hand_over")

    assert "HeavySet Tech has this one" in begun.message("step:4").text
    assert f"HeavySet Tech (<@{begun.erin.id}>) since" in begun.message("root").text
    [announced] = [text for text in begun.announced if "would like you to do" in text]
    assert "step 4 (Navigate to the My Apps Section)" in announced
    assert begun.message("step:4").ts.replace(".", "") in announced
    assert "waiting on us" in (await begun.type("status")).text


async def test_the_step_after_a_handed_over_one_is_the_clients_again(begun: World) -> None:
    await begun.walk_to(4)
    await begun.press(begun.ann, "step:4", "hand_over")

    await begun.press(begun.erin, "step:4", "step_done")

    assert begun.current == 5
    assert "*Waiting on:* Acme Plumbing" in str(begun.message("root").blocks)


async def test_a_second_press_hands_over_the_rest_of_the_phase(begun: World) -> None:
    await begun.walk_to(4)
    await begun.press(begun.ann, "step:4", "hand_over")
    await begun.press(begun.ann, "step:4", "hand_over:phase")

    for number in range(4, 9):
        assert "HeavySet Tech has this one" in begun.message(f"step:{number}").text
        await begun.press(begun.erin, f"step:{number}", "step_done")

    assert begun.current == 9
    assert "HeavySet Tech has this one" not in begun.message("step:9").text
    assert [text for text in begun.announced if "steps 5–8" in text]


async def test_either_side_can_give_a_step_back(begun: World) -> None:
    await begun.walk_to(4)
    for person in (begun.ann, begun.erin):
        await begun.press(begun.ann, "step:4", "hand_over")
        await begun.press(person, "step:4", "give_back")

        assert "HeavySet Tech has this one" not in begun.message("step:4").text
        assert "*Waiting on:* Acme Plumbing" in str(begun.message("root").blocks)

    assert begun.events("steps_given_back") == [(begun.ann.id, 4), (begun.erin.id, 4)]


async def test_a_client_reaches_the_end_without_handling_a_secret(begun: World) -> None:
    values, erin = begun.servicetitan.credentials, begun.erin
    while (number := begun.current) < 25:
        if number < 23 and "HeavySet Tech has this one" not in begun.message(f"step:{number}").text:
            await begun.press(begun.ann, f"step:{number}", "hand_over")
            if "rest of phase" in begun.message(f"step:{number}").text:
                await begun.press(begun.ann, f"step:{number}", "hand_over:phase")
        if number == 22:
            await begun.enter(erin, 22, **values)
        action = "choose_account:new" if number == 1 else "step_done"
        await begun.press(erin, f"step:{number}", action)
    await begun.press(erin, "step:25", "run_verification")

    assert begun.rows("SELECT status FROM onboarding") == [("completed",)]
    submitters = begun.rows("SELECT DISTINCT submitted_by_user FROM credential")
    assert submitters == [(erin.id,)]


async def test_pressing_twice_hands_over_once(begun: World) -> None:
    await begun.walk_to(4)
    await begun.press(begun.ann, "step:4", "hand_over")

    press = await begun.ann.press_raw(begun.message("step:4"), "hand_over", f"{begun.onboarding}:4")
    await begun.idle()

    assert press.ack.ok
    assert begun.events("steps_handed_over") == [(begun.ann.id, 4)]
    assert "We already have" in begun.ann.ephemerals[-1].text
