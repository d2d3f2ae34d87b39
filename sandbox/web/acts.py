"""What people do on the page, carried out by `Person`, which checks whether they may."""

from collections.abc import Awaitable, Callable, Mapping

from multidict import MultiDict

from sandbox.slack import Channel, Message, NotOfferedError, Person, View
from sandbox.slack.forms import inputs
from sandbox.web.session import Session

Form = MultiDict[str]
Act = Callable[[Session, Person, Form], Awaitable[None]]


async def press(_session: Session, person: Person, form: Form) -> None:
    where = _target(person, form)
    await person.press(
        where,
        form.get("action", ""),
        value=form.get("value") or None,
        block_id=form.get("block", ""),
    )


async def fill(_session: Session, person: Person, form: Form) -> None:
    """Keep what is being typed, so that a reloaded page still has it."""
    view = _modal(person, form.get("view", ""))
    person.fill(view, _values(view, form))


async def submit(_session: Session, person: Person, form: Form) -> None:
    view = _modal(person, form.get("view", ""))
    await person.submit(view, _values(view, form))


async def close(_session: Session, person: Person, form: Form) -> None:
    view = _modal(person, form.get("view", ""))
    await person.close(view)


async def say(session: Session, person: Person, form: Form) -> None:
    """Send a message, or run a slash command."""
    channel = _channel(person, form.get("channel", ""))
    text, thread_ts = form.get("text", "").strip(), form.get("thread") or None
    files = [name for name in form.getall("files", []) if name]
    if text.startswith("/") and not files:
        command, _, words = text.partition(" ")
        if thread_ts:
            raise NotOfferedError(f"{command} can't be used in a thread: type it in the channel")
        if command == "/me":
            await person.say(channel, words, subtype="me_message")
        else:
            await person.command(channel, command, words.strip())
        return
    if not text and not files:
        return
    broadcast = "thread_broadcast" if thread_ts and form.get("broadcast", "") else None
    words = _with_mentions(session, text)
    await person.say(channel, words, thread_ts, files=files, subtype=broadcast)


async def edit(session: Session, person: Person, form: Form) -> None:
    await person.edit(_message(person, form), _with_mentions(session, form.get("text", "")))


async def delete(_session: Session, person: Person, form: Form) -> None:
    await person.delete(_message(person, form))


async def forward(_session: Session, person: Person, form: Form) -> None:
    message = _message(person, form)
    await person.say(_channel(person, form.get("channel", "")), "", forwarded=message)


async def react(_session: Session, person: Person, form: Form) -> None:
    await person.react(_message(person, form), form.get("name", ""))


async def shortcut(_session: Session, person: Person, form: Form) -> None:
    await person.use_shortcut(_message(person, form), form.get("name", ""))


async def dismiss(_session: Session, person: Person, form: Form) -> None:
    person.dismiss(_message(person, form))


async def open_home(_session: Session, person: Person, _form: Form) -> None:
    await person.open_home()


async def accept(session: Session, person: Person, form: Form) -> None:
    slack = session.now.scene.slack
    for invitation in slack.invitations:
        if invitation.id == form.get("invitation", ""):
            await slack.accept_invite(invitation, person)
            return
    raise NotOfferedError("the invitation is gone")


async def clear_notice(session: Session, person: Person, form: Form) -> None:
    notices = session.now.notices[person.id]
    for notice in list(notices):
        if str(notice.number) == form.get("number", ""):
            notices.remove(notice)
    session.touch()


ACTS: Mapping[str, Act] = {
    act.__name__: act
    for act in (
        *(press, fill, submit, close, say, edit, delete, forward),
        *(react, shortcut, dismiss, open_home, accept, clear_notice),
    )
}


def _target(person: Person, form: Form) -> Message | View:
    """What is pressed: as it is now, or as it was when the page was rendered."""
    kind, _, rest = form.get("target", "").partition(":")
    if kind == "view":
        return _modal(person, rest)
    if kind == "home":
        if person.home is None:
            raise NotOfferedError("there is nothing on the app's Home")
        return person.home
    message, block_id = _message(person, form), form.get("block", "")
    for version in (message, *reversed(message.versions)):
        if any(block["block_id"] == block_id for block in version.blocks):
            return version
    return message


def _modal(person: Person, view_id: str) -> View:
    view = person.view
    if view is None or view.id != view_id:
        raise NotOfferedError("that window is closed")
    return view


def _message(person: Person, form: Form) -> Message:
    _, channel_id, ts = [*form.get("target", "").split(":"), "", ""][:3]
    channel = _channel(person, channel_id)
    for message in (*channel.messages, *person.ephemerals):
        if message.ts == ts:
            return message
    raise NotOfferedError("that message is gone")


def _channel(person: Person, channel_id: str) -> Channel:
    for channel in person.channels:
        if channel.id == channel_id:
            return channel
    raise NotOfferedError(f"{person.name} is not in that channel")


def _values(view: View, form: Form) -> dict[str, str | list[str] | None]:
    """The form's values for the modal's inputs; inputs that aren't in it stay as they are."""
    values: dict[str, str | list[str] | None] = {}
    for block, element in inputs(view):
        name = block["block_id"]
        if name not in form:
            continue
        given = [value for value in form.getall(name, []) if value]
        several = element["type"] in ("checkboxes", "multi_users_select")
        values[name] = given if several else (given[0] if given else None)
    return values


def _with_mentions(session: Session, text: str) -> str:
    """Replace `@Erin Engineer` by the mention that Slack's own menu inserts."""
    slack = session.now.scene.slack
    people = [slack.bot, *(person.user for person in slack.people)]
    for user in sorted(people, key=lambda each: -len(each.real_name)):
        text = text.replace(f"@{user.real_name}", f"<@{user.id}>")
    return text
