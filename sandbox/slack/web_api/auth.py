"""auth.test and apps.connections.open."""

from sandbox.slack.arguments import Arguments
from sandbox.slack.model import Json
from sandbox.slack.state import State
from sandbox.slack.web_api.base import method


@method("auth.test", per_minute=300)
def auth_test(state: State, _args: Arguments) -> Json:
    identity: Json = {
        "url": f"https://{state.home.domain}.slack.com/",
        "team": state.home.name,
        "user": state.bot.name,
        "team_id": state.home.id,
        "user_id": state.bot.id,
        "bot_id": state.bot_id,
        "is_enterprise_install": False,
    }
    if state.home.enterprise_id:
        identity["enterprise_id"] = state.home.enterprise_id
    return identity


@method("apps.connections.open", app_token=True)
def connections_open(state: State, _args: Arguments) -> Json:
    """A web socket URL for one connection (docs: apis/events-api/using-socket-mode)."""
    ticket = state.mint_id("ticket-")
    state.tickets.add(ticket)
    address = state.base_url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={state.app_id}"}
