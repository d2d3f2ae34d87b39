"""Events about channels: joined, left, archived, unshared, moved; the app uninstalled."""

from bot.onboarding import InvitationAnswer, Loss
from bot.use_cases import UseCases
from bot.use_cases.channels import Channels
from handlers.events import ChannelEvent, InvitationAnswered, TokensRevoked
from handlers.listeners import Listeners

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


def register(on: Listeners, use_cases: UseCases) -> None:
    channels = use_cases.channels
    _register_people(on, channels)

    @on.event(ChannelEvent.of, *LOSS_BY_EVENT)
    async def lost(event: ChannelEvent) -> None:
        await channels.lost(event.request, LOSS_BY_EVENT[event.type])

    @on.event(ChannelEvent.of, *RETURNS)
    async def regained(event: ChannelEvent) -> None:
        await channels.regained(event.request, {RETURNS[event.type]})

    @on.event(ChannelEvent.of, "channel_unshared")
    async def unshared(event: ChannelEvent) -> None:
        if not event.is_ext_shared:  # otherwise it is still shared with somebody
            await channels.lost(event.request, Loss.UNSHARED)

    @on.event(ChannelEvent.of, "channel_id_changed")
    async def channel_id_changed(event: ChannelEvent) -> None:
        await channels.moved(event.request, event.new_channel_id)

    @on.event(TokensRevoked.of, "app_uninstalled", "tokens_revoked")
    async def lost_all(event: TokensRevoked) -> None:
        if event.type == "app_uninstalled" or event.bots:
            await channels.lost_all(f"event:{event.event_id}")


def _register_people(on: Listeners, channels: Channels) -> None:
    @on.event(ChannelEvent.of, "member_joined_channel")
    async def member_joined(event: ChannelEvent) -> None:
        if event.user == on.replies.bot_user_id:
            await channels.regained(event.request, {Loss.BOT_REMOVED})
        else:
            await channels.joined(event.request)

    @on.event(ChannelEvent.of, "member_left_channel")
    async def member_left(event: ChannelEvent) -> None:
        if event.user == on.replies.bot_user_id:
            await channels.lost(event.request, Loss.BOT_REMOVED)

    @on.event(InvitationAnswered.of, *ANSWERS)
    async def invitation_answered(event: InvitationAnswered) -> None:
        answer = ANSWERS[event.type]
        if answer is InvitationAnswer.ACCEPTED and not event.approval_required:
            await channels.joined(event.request)
        else:
            await channels.invitation_answered(event.request, answer, event.address)
