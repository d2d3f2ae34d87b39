"""The scopes of the manifest; a test compares them."""

SCOPES = {
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "usergroups:read",
    "users:read",
}

# These are optional; what each is for.
OPTIONAL_SCOPES = {
    "bookmarks:read": "finds my own bookmark again after a lost reply",
    "bookmarks:write": "bookmarks the thread in the client's channel",
    "channels:manage": "lets “start … invite …” create a channel and add the engineer",
    "conversations.connect:write": "lets “start … invite …” invite the client by email",
    "files:write": "uploads the guide's pictures, unless PUBLIC_URL is set",
    "groups:write": "the same for private channels",
    "pins:write": "pins the first message of the thread",
    "users:read.email": "tells clients the engineer's address for the new ServiceTitan account",
}
