"""The scopes of the manifest; a test compares them."""

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

# These may be left out; what each is for.
OPTIONAL_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "bookmarks:read": "finds a bookmark again if the response was lost",
        "bookmarks:write": "bookmarks the thread in the client's channel",
        "channels:manage": "“start … invite …” creates a channel and adds the engineer",
        "conversations.connect:write": "“start … invite …” invites the client by e-mail",
        "groups:write": "the same, where the channel is to be private",
        "pins:write": "pins the first message of the thread",
    }
)
