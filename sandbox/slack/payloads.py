"""What Slack sends to the app: commands, interactions, events.

The `team` of an external person's `block_actions` is the installing workspace's, but that of their
`view_submission` is their own; only `user.team_id` shows where someone belongs.
"""

from sandbox.slack import views
from sandbox.slack.model import Channel, Json, Message, ResponseUrl, Team, User, View
from sandbox.slack.state import State

VERIFICATION_TOKEN = "deprecated-verification-token"


def slash_command(
    state: State, user: User, channel: Channel, command: str, text: str, answer_to: ResponseUrl
) -> Json:
    """The form fields of a slash command (docs: implementing-slash-commands)."""
    fields = {
        "token": VERIFICATION_TOKEN,
        "team_id": state.home.id,
        "team_domain": state.home.domain,
        "channel_id": channel.id,
        "channel_name": "privategroup" if channel.kind == "private" else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": state.app_id,
        "is_enterprise_install": "false",
        "response_url": answer_to.url,
        "trigger_id": state.mint_trigger(user).id,
    }
    if state.home.enterprise_id:
        fields |= {"enterprise_id": state.home.enterprise_id, "enterprise_name": state.home.name}
    return fields


def message_action(
    state: State, user: User, message: Message, action: Json, channel: Channel
) -> Json:
    """A `block_actions` from a message (docs: block_actions payload).

    For an ephemeral message, only its place is included, as in payloads seen on real Slack.
    The answer to a press of an older copy replaces the current message.
    """
    current = message.channel.message(message.ts) or state.ephemeral(message.ts) or message
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.is_ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction(state, "block_actions", user, state.home) | {
        "container": container,
        "trigger_id": state.mint_trigger(user).id,
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": {}},
        "response_url": state.mint_response_url(channel, user, current).url,
        "actions": [action],
    }
    if not message.is_ephemeral:
        payload["message"] = message.to_api()
    return payload


def message_shortcut(state: State, user: User, message: Message, callback_id: str) -> Json:
    """A shortcut from a message's menu (docs: message_action payload)."""
    channel = message.channel
    return _interaction(state, "message_action", user, state.home) | {
        "callback_id": callback_id,
        "trigger_id": state.mint_trigger(user).id,
        "response_url": state.mint_response_url(channel, user, message).url,
        "action_ts": state.mint_ts(),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message.to_api(),
    }


def view_action(state: State, view: View, action: Json) -> Json:
    """A `block_actions` from an element within a modal or the Home tab."""
    return _interaction(state, "block_actions", view.user, state.home) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": state.mint_trigger(view.user).id,
        "view": views.to_api(state, view),
        "actions": [action],
    }


def view_submission(state: State, view: View) -> Json:
    """A submitted modal: no channel, no message; the team is the submitter's own."""
    return _interaction(state, "view_submission", view.user, view.user.team) | {
        "trigger_id": state.mint_trigger(view.user).id,
        "view": views.to_api(state, view),
        "response_urls": [],
    }


def event_callback(
    state: State, event: Json, channel: Channel | None = None, team: Team | None = None
) -> Json:
    """The envelope of an event; `team` is the one that the envelope names, if not the host's."""
    now = state.clock()
    return {
        "type": "event_callback",
        "token": VERIFICATION_TOKEN,
        "team_id": (team or state.home).id,
        "context_team_id": state.home.id,
        "context_enterprise_id": state.home.enterprise_id,
        "api_app_id": state.app_id,
        "event": event,
        "event_id": state.mint_id("Ev"),
        "event_time": int(now),
        "event_context": state.mint_id("EC"),
        "is_ext_shared_channel": channel is not None and channel.is_ext_shared,
        "authorizations": [
            {
                "enterprise_id": state.home.enterprise_id,
                "team_id": state.home.id,
                "user_id": state.bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }


def shared(message: Message) -> Json:
    """A message as the attachment of one that forwards it: as in payloads seen on real Slack."""
    channel = message.channel
    return {
        "is_share": True,
        "is_msg_unfurl": True,
        "ts": message.ts,
        "channel_id": channel.id,
        "author_id": message.user.id,
        "author_name": message.user.real_name,
        "fallback": f"[{message.ts}] {message.user.name}: {message.text}",
        "text": message.text,
        "mrkdwn_in": ["text"],
        "footer": f"Posted in #{channel.name}",
    }


def _interaction(state: State, kind: str, user: User, team: Team) -> Json:
    enterprise = None
    if team.enterprise_id:
        enterprise = {"id": team.enterprise_id, "name": team.name}
    return {
        "type": kind,
        "team": {"id": team.id, "domain": team.domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.team.id,
        },
        "api_app_id": state.app_id,
        "token": VERIFICATION_TOKEN,
        "enterprise": enterprise,
        "is_enterprise_install": False,
    }
