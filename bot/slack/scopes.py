"""What the manifest asks for; tests compare them."""

from collections.abc import Mapping
from types import MappingProxyType

SCOPES = frozenset(
    {
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "usergroups:read",
        "users:read",
    }
)

# Whoever installs the app may leave these out; what for each of them is.
OPTIONAL_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "bookmarks:read": "finds a bookmark again whose answer was lost",
        "bookmarks:write": "bookmarks the thread in the client's channel",
        "channels:manage": "“start … invite …” makes a channel and brings the engineer in",
        "conversations.connect:write": "“start … invite …” invites the client by e-mail",
        "groups:write": "the same, where the channel is to be private",
        "pins:write": "pins the first message of the thread",
    }
)
