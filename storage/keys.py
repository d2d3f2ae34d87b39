"""Keys derived from a credential key, one for each purpose, by HKDF (RFC 5869).

The credential key itself only encrypts. What was made before HKDF was used (with a plain HMAC of
the purpose) can still be read; `keys rotate` makes it again.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
FINGERPRINT, SEAL = "credential fingerprint", "history seal"


def key_id(key: bytes) -> str:
    """Return the id of a key, which reveals nothing about the key."""
    return hashlib.sha256(b"credential key id" + key).hexdigest()[:8]


def derived(key: bytes, purpose: str) -> bytes:
    info = f"heavyset-onboarding {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def derived_without_hkdf(key: bytes, purpose: str) -> bytes:
    """Return the key for a purpose as it was derived before HKDF was used."""
    return hmac.digest(key, purpose.encode(), "sha256")
