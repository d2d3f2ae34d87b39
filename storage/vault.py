"""Encrypts and decrypts all credentials (AES-256-GCM); no other module does.

A ciphertext is bound to its onboarding, field, version and mask as associated data: moved to
another row, or shown under another mask, it does not decrypt.
"""

import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from bot.core.errors import Unreadable
from storage.keys import FINGERPRINT, derived, derived_without_hkdf, key_id

NONCE_BYTES = 12  # NIST SP 800-38D recommends 96 bits
HKDF_PREFIX = "2:"  # of fingerprints whose key was derived by HKDF


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value belongs."""

    onboarding_id: str
    field: str
    version: int
    mask: str

    def associated_data(self) -> bytes:
        """Return bytes that are different for each slot."""
        return json.dumps([1, self.onboarding_id, self.field, self.version, self.mask]).encode()


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value, with the id of its key.

    `is_newest`: this is the version sealed with the history, so no old row was put back.
    """

    place: Slot
    ciphertext: bytes
    key_id: str
    fingerprint: str = ""
    is_newest: bool = True


class Vault:
    """Encrypts with the first key, decrypts with all."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take the keys, 32 bytes each."""
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self.key_ids = tuple(self._ciphers)
        self.sealing_key = self.key_ids[0]
        # Fingerprints have their own keys, so they reveal nothing about the encryption keys.
        self._fingerprinting = [derived(key, FINGERPRINT) for key in keys]
        self._fingerprinting_before = [derived_without_hkdf(key, FINGERPRINT) for key in keys]

    def seal(self, place: Slot, value: SecretStr) -> Sealed:
        nonce = os.urandom(NONCE_BYTES)
        plain = value.get_secret_value().encode()
        sealed = self._ciphers[self.sealing_key].encrypt(nonce, plain, place.associated_data())
        fingerprint = self.fingerprint(value.get_secret_value())
        return Sealed(place, nonce + sealed, self.sealing_key, fingerprint)

    def fingerprints(self, candidate: str) -> frozenset[str]:
        """Return all fingerprints that a stored value would have if it were `candidate`."""
        now = {HKDF_PREFIX + _digest(key, candidate) for key in self._fingerprinting}
        return frozenset(now | {_digest(key, candidate) for key in self._fingerprinting_before})

    def fingerprint(self, value: str) -> str:
        """Return the fingerprint of `value` under the sealing key, to recognize it later."""
        return HKDF_PREFIX + _digest(self._fingerprinting[0], value)

    def open(self, sealed: Sealed) -> SecretStr:
        """Decrypt; raises Unreadable if the key is missing or the row was moved or altered."""
        cipher = self._ciphers.get(sealed.key_id)
        where = f"{sealed.place.field} of onboarding {sealed.place.onboarding_id}"
        if cipher is None:
            raise Unreadable(f"{where}: key {sealed.key_id} is not among CREDENTIAL_KEYS")
        try:
            nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
            plain = cipher.decrypt(nonce, ciphertext, sealed.place.associated_data())
        except (InvalidTag, ValueError, TypeError) as error:
            raise Unreadable(f"{where}: the stored value was altered or moved") from error
        if not sealed.is_newest:
            raise Unreadable(
                f"{where}: an older value was put back in a newer one's place, or its history was "
                "altered (see “onboarding db check”)"
            )
        return SecretStr(plain.decode())


def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()
