"""Events about channels: joined, left, archived, unshared, moved; the app uninstalled."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.onboarding import InvitationAnswer, Loss
from bot.use_cases import UseCases
from bot.use_cases.channels import Channels
from handlers.events import ChannelEvent, Envelope, InvitationAnswered, TokensRevoked, quietly
from handlers.replies import Replies

# Private channels have their own names for these (docs.slack.dev, events group_archive and others).
LOSS_BY_EVENT = {
    "channel_archive": Loss.ARCHIVED,
    "group_archive": Loss.ARCHIVED,
    "channel_left": Loss.BOT_REMOVED,
    "group_left": Loss.BOT_REMOVED,
}
RETURNS = {
    "channel_unarchive": Loss.ARCHIVED,
    "group_unarchive": Loss.ARCHIVED,
    "channel_shared": Loss.UNSHARED,
}
ANSWERS = {
    "shared_channel_invite_accepted": InvitationAnswer.ACCEPTED,
    "shared_channel_invite_approved": InvitationAnswer.APPROVED,
    "shared_channel_invite_declined": InvitationAnswer.DECLINED,
}


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    """Register the listeners. Bolt acknowledges an event when its listener has returned."""
    _register_losses(app, use_cases.channels)
    _register_members(app, use_cases.channels, replies)
    _register_invitations(app, use_cases.channels)

    @app.event("channel_id_changed")
    async def channel_id_changed(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            told = ChannelEvent.of(event)
            await use_cases.channels.moved(told.request(Envelope.of(body)), told.new_channel_id)

    @app.event("app_uninstalled")
    async def app_uninstalled(body: dict[str, Any]) -> None:
        async with quietly():
            await use_cases.channels.lost_all(f"event:{Envelope.of(body).event_id}")

    @app.event("tokens_revoked")
    async def tokens_revoked(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            if TokensRevoked.of(event).includes_the_bots:
                await use_cases.channels.lost_all(f"event:{Envelope.of(body).event_id}")


def _register_losses(app: AsyncApp, channels: Channels) -> None:
    async def lost(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            request = ChannelEvent.of(event).request(Envelope.of(body))
            await channels.lost(request, LOSS_BY_EVENT[event["type"]])

    async def regained(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            request = ChannelEvent.of(event).request(Envelope.of(body))
            await channels.regained(request, {RETURNS[event["type"]]})

    for name in LOSS_BY_EVENT:
        app.event(name)(lost)
    for name in RETURNS:
        app.event(name)(regained)

    @app.event("channel_unshared")
    async def channel_unshared(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            told = ChannelEvent.of(event)
            if not told.is_ext_shared:  # otherwise it is still shared with somebody
                await channels.lost(told.request(Envelope.of(body)), Loss.UNSHARED)


def _register_members(app: AsyncApp, channels: Channels, replies: Replies) -> None:
    @app.event("member_joined_channel")
    async def member_joined(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            request = ChannelEvent.of(event).request(Envelope.of(body))
            if request.person.user_id == replies.bot_user_id:
                await channels.regained(request, {Loss.BOT_REMOVED})
            else:
                await channels.joined(request)

    @app.event("member_left_channel")
    async def member_left(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            request = ChannelEvent.of(event).request(Envelope.of(body))
            if request.person.user_id == replies.bot_user_id:
                await channels.lost(request, Loss.BOT_REMOVED)


def _register_invitations(app: AsyncApp, channels: Channels) -> None:
    async def answered(body: dict[str, Any], event: dict[str, Any]) -> None:
        async with quietly():
            told, answer = InvitationAnswered.of(event), ANSWERS[event["type"]]
            request = told.request(Envelope.of(body))
            if answer is InvitationAnswer.ACCEPTED and not told.approval_required:
                await channels.joined(request)
            else:
                await channels.invitation_answered(request, answer, told.address)

    for name in ANSWERS:
        app.event(name)(answered)
