"""The forms that start an onboarding: in this channel, or in a new one for the client."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.english import listed
from bot.core.mrkdwn import escape
from bot.guide import Guide
from bot.onboarding import Onboarding
from bot.onboarding.names import LONGEST_CHANNEL, channel_for_client
from bot.views import ids
from bot.views.blocks import Block, context, given, section
from bot.views.forms import View, checkbox, engineer_entry, entry, form, menu, notice, text_input

LONGEST_NAME = 80
LONGEST_ADDRESSES = 500
PINGED = "Gets pinged when the client needs help."

ALONE = (
    "⚠️ *No one from outside HeavySet is here yet.* You can start anyway; I'll greet them when "
    "they join. To invite them: channel name → *Add people*, with permission to post *and more*. "
    "With post-only access the buttons may not work for them."
)
PENDING = (
    "⏳ *The client hasn't accepted the invitation yet.* You can start anyway; I'll greet them "
    "when they join."
)
SEVERAL = (
    "👥 *People from several outside organizations are in this channel.* Choose the client's "
    "contacts below. Only people from their organization can do the steps."
)


@dataclass(frozen=True, slots=True)
class Around:
    """The people in the channel of a new onboarding."""

    external_members: Sequence[str] = ()
    alone: bool = False  # certainly nobody from outside
    pending: bool = False  # somebody was invited
    several: bool = False  # of more than one outside organization


def guide_choice(offered: Sequence[Guide], proposed: str) -> Sequence[Block]:
    """Return the input to choose a guide; empty while there is nothing to choose."""
    if len(offered) < 2:
        return []
    options = {guide.id: guide.title for guide in offered}
    return [entry("Guide", menu(ids.GUIDE, options, proposed))]


def start_modal(
    ref: ids.FormRef,
    client_name: str,
    running: Sequence[Onboarding] = (),
    around: Around | None = None,
    choice: Sequence[Block] = (),
) -> View:
    """Return the form that confirms a new onboarding next to those `running` in the channel.

    `choice` is that of `guide_choice`. Without `around`, it says that it is still looking who is
    there. The field that is filled in from that is added only then: Slack keeps an input's value
    when the view is updated, and ignores a new initial value (slackapi/bolt-js#290,
    bolt-python#572).
    """
    blocks: list[Block] = []
    if around and around.alone:
        blocks.append(section(PENDING if around.pending else ALONE))
    if around and around.several:
        blocks.append(section(SEVERAL))
    if running:
        blocks.append(section(f"Also in progress in this channel: {listed(map(_who, running))}"))
    blocks.append(_client_name(client_name))
    blocks += choice
    if around is None:
        blocks.append(context("Checking who's here from the client…"))
    else:
        blocks.append(_client_admins(around.external_members))
    blocks.append(engineer_entry(ref.user_id, PINGED))
    return form("Start onboarding", ids.START_ONBOARDING, ref, blocks, submit="Start")


def invite_modal(
    ref: ids.FormRef,
    client_name: str,
    addresses: Sequence[str],
    choice: Sequence[Block] = (),
) -> View:
    """Return the form that confirms a new channel, who is invited to it, and the onboarding.

    `choice` is that of `guide_choice`.
    """
    blocks: list[Block] = [
        section(
            "I'll create a channel, add the engineer, invite the client by email (Slack "
            "Connect), and start the onboarding there."
        ),
        _client_name(client_name),
        *choice,
        entry(
            "Who to invite",
            text_input(
                ids.ADDRESSES,
                LONGEST_ADDRESSES,
                initial=" ".join(addresses),
                example="ann@acme.com",
            ),
            hint="Client email addresses, separated by spaces.",
        ),
        entry(
            "Channel name",
            text_input(
                ids.CHANNEL_NAME,
                LONGEST_CHANNEL,
                initial=channel_for_client(client_name),
                example="acme-heavyset",
            ),
            hint="Lowercase letters, numbers, and hyphens. The client can rename it on their side.",
        ),
        checkbox(
            "Private channel?",
            ids.PRIVATE_CHANNEL,
            "Only people in the channel can see it",
            "private",
        ),
        engineer_entry(ref.user_id, PINGED),
    ]
    return form("Invite a client", ids.INVITE_CLIENT, ref, blocks, submit="Invite")


def working_view(client_name: str) -> View:
    """Return what replaces the form while we call Slack."""
    return notice(
        "Invite a client",
        [
            section(f"Setting up {escape(client_name)}…"),
            context(
                "Still here after a minute? Run the command again. I'll pick up where I left off "
                "and won't create anything twice."
            ),
        ],
    )


def outcome_view(text: Sequence[str]) -> View:
    return notice("Invite a client", [section(line) for line in text])


def _client_name(client_name: str) -> Block:
    return entry(
        "Client name",
        text_input(ids.CLIENT_NAME, LONGEST_NAME, initial=client_name, example="Acme Plumbing"),
        hint="What they call their company. It's the title of the thread.",
    )


def _client_admins(proposed: Sequence[str]) -> Block:
    return entry(
        "Client contacts",
        {
            "type": "multi_users_select",
            "action_id": ids.CLIENT_ADMINS,
            **given(initial_users=list(proposed)),
        },
        hint="Optional if the client is the only outside organization here: anyone of theirs can "
        "do the steps. People you add get greeted and reminded. Add HeavySet guests here, too.",
        optional=True,
    )


def _who(running: Onboarding) -> str:
    done = f"{running.finished_steps} of {len(running.steps)} steps done"
    return f"*{escape(running.client_name)}* ({done})"
