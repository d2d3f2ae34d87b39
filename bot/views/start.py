"""The forms that begin an onboarding: in this channel, or in one that is made for the client."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    UserMultiSelectElement,
    UserSelectElement,
)
from slack_sdk.models.views import View

from bot.core.english import listed
from bot.core.mrkdwn import escape
from bot.onboarding import Onboarding
from bot.onboarding.names import LONGEST_CHANNEL, channel_for_client
from bot.views import ids
from bot.views.blocks import context, section
from bot.views.forms import entry, form, notice, plain_text

LONGEST_NAME = 80
LONGEST_ADDRESSES = 500

ALONE = (
    "⚠️ *Nobody from outside HeavySet is in this channel yet.* You can start all the same: the "
    "thread waits for them. To invite them, open the channel's name → *Add people*, and let them "
    "post *and more*: with permission to post only, they may not be able to press the buttons."
)
PENDING = (
    "⏳ *The client has not accepted the invitation to this channel yet.* You can start all the "
    "same: the thread waits for them."
)
SEVERAL = (
    "👥 *People from several outside organizations are in this channel.* Choose the client's "
    "contacts below. Only people from their organization can do the steps."
)


@dataclass(frozen=True, slots=True)
class Around:
    """Who is in the channel where an onboarding is to begin."""

    external_members: Sequence[str] = ()
    alone: bool = False  # certainly nobody from outside
    pending: bool = False  # somebody was invited
    several: bool = False  # of more than one outside organization


def start_modal(
    ref: ids.FormRef,
    client_name: str,
    running: Sequence[Onboarding] = (),
    around: Around | None = None,
) -> View:
    """Return the form that confirms a new onboarding beside those `running` in the channel.

    Without `around` it still says that it is looking who is there. The field that is proposed from
    that comes with it, and not before: Slack keeps what an input held when the view is updated,
    and takes no new proposal for it (slackapi/bolt-js#290, bolt-python#572).
    """
    blocks: list[Block] = []
    if around and around.alone:
        blocks.append(section(PENDING if around.pending else ALONE))
    if around and around.several:
        blocks.append(section(SEVERAL))
    if running:
        blocks.append(section(f"Also onboarded in this channel: {listed(map(_who, running))}"))
    blocks.append(_client_name(client_name))
    if around is None:
        blocks.append(context("Looking who of the client is here already …"))
    else:
        blocks.append(_client_admins(around.external_members))
    blocks.append(_engineer(ref.user_id))
    return form("Start onboarding", ids.START_ONBOARDING, ref, blocks, submit="Start")


def invite_modal(ref: ids.FormRef, client_name: str, addresses: Sequence[str]) -> View:
    """Return the form that confirms a new channel, who is invited to it, and the onboarding."""
    blocks: list[Block] = [
        section(
            "I make a channel, bring the engineer in, invite the client by e-mail (Slack Connect) "
            "and begin the onboarding there."
        ),
        _client_name(client_name),
        entry(
            "Whom to invite",
            PlainTextInputElement(
                action_id=ids.ADDRESSES,
                initial_value=" ".join(addresses) or None,
                max_length=LONGEST_ADDRESSES,
                placeholder="ann@acme.com",
            ),
            hint="E-mail addresses of the client's people, with spaces between them.",
        ),
        entry(
            "The channel's name",
            PlainTextInputElement(
                action_id=ids.CHANNEL_NAME,
                initial_value=channel_for_client(client_name) or None,
                max_length=LONGEST_CHANNEL,
                placeholder="acme-heavyset",
            ),
            hint="Small letters, digits and hyphens. The client may call it otherwise.",
        ),
        entry(
            "Private?",
            CheckboxesElement(
                action_id=ids.PRIVATE_CHANNEL,
                options=[
                    Option(text=plain_text("Only who is in the channel sees it"), value="private")
                ],
            ),
            optional=True,
        ),
        _engineer(ref.user_id),
    ]
    return form("Invite a client", ids.INVITE_CLIENT, ref, blocks, submit="Invite")


def working_view(client_name: str) -> View:
    """Return what stands in the form's place while Slack is asked."""
    return notice(
        "Invite a client",
        [
            section(f"Working on it: {escape(client_name)} …"),
            context(
                "If this is still here after a minute, type the command again: it goes on where "
                "it stopped, and nothing is made twice."
            ),
        ],
    )


def outcome_view(text: Sequence[str]) -> View:
    """Return how it went, line by line."""
    return notice("Invite a client", [section(line) for line in text])


def _client_name(client_name: str) -> InputBlock:
    return entry(
        "Client's name",
        PlainTextInputElement(
            action_id=ids.CLIENT_NAME,
            initial_value=client_name or None,
            max_length=LONGEST_NAME,
            placeholder="Acme Plumbing",
        ),
        hint="As the client's people know their company: it heads the thread.",
    )


def _client_admins(proposed: Sequence[str]) -> InputBlock:
    return entry(
        "Client's admins",
        UserMultiSelectElement(
            action_id=ids.CLIENT_ADMINS, initial_users=list(proposed) if proposed else None
        ),
        hint="Optional if the client is the only outside organization here: anyone of theirs can "
        "do the steps. People you add get greeted and reminded. Add HeavySet guests here, too.",
        optional=True,
    )


def _engineer(user_id: str) -> InputBlock:
    return entry(
        "HeavySet engineer",
        UserSelectElement(action_id=ids.ENGINEER, initial_user=user_id),
        hint="Who is asked when the client needs help.",
    )


def _who(running: Onboarding) -> str:
    done = f"{running.finished_steps} of {len(running.steps)} steps done"
    return f"*{escape(running.client_name)}* ({done})"
