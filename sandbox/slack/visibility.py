"""What a person can see in Slack; anything else raises `NotOfferedError`."""

from sandbox.slack import views
from sandbox.slack.errors import NotOfferedError
from sandbox.slack.model import Channel, Message, User, View
from sandbox.slack.state import State


def must_see(state: State, user: User, where: Message | View) -> None:
    """The message, modal or Home is on the person's screen, and they may press what it shows."""
    if isinstance(where, View):
        shown = views.home_of(state, user)
        if not where.is_home:
            must_be_open(state, user, where)
        # By id: an older Home may be on a screen that isn't up to date yet.
        elif shown is None or shown.id != where.id:
            raise NotOfferedError(f"{user.real_name} sees no such Home")
        return
    if user.team in where.channel.limited and not state.doubts.limited_external_can_press:
        raise NotOfferedError("external members cannot press buttons here")
    if where.is_ephemeral and where.ephemeral_to is not user:
        raise NotOfferedError("somebody else's private message")
    if where.is_ephemeral and state.ephemeral(where.ts) is None:
        raise NotOfferedError("the private message is gone")
    must_be_in(user, where.channel, even_archived=True)


def must_be_in(user: User, channel: Channel, *, even_archived: bool = False) -> None:
    if user.id not in channel.members:
        raise NotOfferedError(f"{user.real_name} is not in #{channel.name}")
    if channel.is_archived and not even_archived:
        raise NotOfferedError(f"#{channel.name} is archived")


def must_be_open(state: State, user: User, view: View) -> None:
    """The modal is the one that the person sees."""
    if state.modals.get(user.id) is not view:
        raise NotOfferedError(f"{view.title!r} is not the modal that {user.real_name} sees")


def must_own(user: User, message: Message) -> None:
    if message.user is not user:
        raise NotOfferedError("somebody else's message")
