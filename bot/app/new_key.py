"""A new encryption key; it imports nothing of ours, so that `keys generate` starts instantly."""

import base64
import secrets

KEY_BYTES = 32  # AES-256


def new_key() -> str:
    """Return a value for CREDENTIAL_KEYS."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
