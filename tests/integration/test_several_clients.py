"""For engineers with many clients: assign several, mark many steps done, keep notes."""

from tests.databases import ON_SQLITE
from tests.integration.test_export import export
from tests.integration.world import CLIENT_NAME, World

ASSIGNMENTS = "SELECT client_name, engineer FROM onboarding ORDER BY client_name"


async def test_several_clients_are_assigned_by_name_and_the_reply_says_which(begun: World) -> None:
    max_ = begun.slack.add_person("Max Engineer")
    for name in ("Bolt, Sons & Co.", "Zenith Heating"):
        await begun.begin(name, begun.slack.add_channel(name[:4].lower(), begun.erin))
    await begun.type(f"assign <@{max_.id}> zenith", channel=begun.engineering)
    before = len(begun.announced)

    reply = await begun.type(
        f"assign <@{max_.id}> Acme, Bolt, Sons & Co., zenith and zebra", channel=begun.engineering
    )

    changed, refused = reply.text.split("Not changed:")
    assert f"Reassigned 2 clients to <@{max_.id}>" in changed
    assert "Acme Plumbing" in changed
    assert "Bolt, Sons &amp; Co." in changed
    assert f"Zenith Heating: <@{max_.id}> already has this one." in refused
    assert "No client matches “zebra”." in refused
    assert {engineer for _, engineer in begun.rows(ASSIGNMENTS)} == {max_.id}
    [announcement] = begun.announced[before:]
    assert "Acme Plumbing and 1 more client: reassigned" in announcement


async def test_all_of_an_engineers_clients_can_be_reassigned_together(begun: World) -> None:
    max_ = begun.slack.add_person("Max Engineer")
    await begun.begin("Bolt Plumbing", begun.slack.add_channel("bolt", begun.erin))

    reply = await begun.type(f"assign <@{max_.id}> all of <@{begun.erin.id}>")

    assert f"Reassigned 2 clients to <@{max_.id}>" in reply.text
    assert {engineer for _, engineer in begun.rows(ASSIGNMENTS)} == {max_.id}
    no_clients = await begun.type(f"assign my clients to <@{max_.id}>")
    assert f"<@{begun.erin.id}> has no open clients" in no_clients.text
    assert "Who? For example" in (await begun.type(f"assign <@{max_.id}> all")).text


async def test_marking_a_step_range_done_asks_only_for_what_is_missing(
    begun: World,
) -> None:
    answer = await begun.type("done 1-17")
    assert "Step 1 is a question" in answer.text
    assert "done 1-17 existing (Use an existing admin)" in answer.text.replace("`", "")
    assert begun.current == 1

    reply = await begun.type("done 1–17 with an existing admin")

    assert "Marked steps 1–17 done. Not entered yet: Booking Provider ID (step 11)." in reply.text
    assert begun.current == 18
    assert begun.rows("SELECT state FROM step WHERE number = 2") == [("skipped",)]

    remaining = await begun.type("done acme steps 18 thru 25", channel=begun.engineering)
    assert "Marked steps 18–21 done. Step 22 stays open: We still need" in remaining.text
    assert begun.current == 22
    assert "Step 22" not in (await begun.type("done 22")).text.split("Almost!")[0]


async def test_done_accepts_the_answer_and_the_client_in_any_order(begun: World) -> None:
    await begun.begin("New Horizons", begun.slack.add_channel("horizons", begun.erin))
    query = "SELECT account FROM onboarding WHERE client_name = ?"

    await begun.type("done 1-3 new")
    assert begun.rows(query, CLIENT_NAME) == [("new",)]
    assert begun.rows(query, "New Horizons") == [(None,)]

    await begun.type("done 1-3 new horizons existing", channel=begun.engineering)
    assert begun.rows(query, "New Horizons") == [("existing",)]


@ON_SQLITE
async def test_a_note_is_visible_only_to_engineers(begun: World) -> None:
    thread = [message.text for message in begun.channel.messages]
    announced = list(begun.announced)

    assert "Acme Plumbing: Noted." in (await begun.type("note Ann: out until Thursday")).text
    reply = await begun.type("note “acme – prefers calls”", channel=begun.engineering)
    assert "Acme Plumbing: Noted." in reply.text

    assert [message.text for message in begun.channel.messages] == thread
    assert begun.announced == announced
    status = (await begun.type("status acme", channel=begun.engineering)).text
    assert f"Ann: out until Thursday (<@{begun.erin.id}>" in status
    assert "📝 prefers calls (" in status
    await begun.type("history")
    assert "noted: “Ann: out until Thursday”" in str(begun.view_of(begun.erin).blocks)
    assert "prefers calls" in (await export(begun, "acme", "--format", "md")).out


async def test_a_note_with_a_credential_is_refused(begun: World) -> None:
    secret = begun.servicetitan.credentials["client_secret"]

    for text in (f"note it is {secret}", "note login ann password: Summer24!"):
        assert "I didn't save it" in (await begun.type(text)).text
    assert "What should I note?" in (await begun.type("note")).text
    assert "Which client" in (await begun.type("note call", channel=begun.engineering)).text
    assert begun.events("noted") == []
