"""The vault: a sealed value opens only in its own slot, with its own key, and unaltered."""

import hmac
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from pydantic import SecretStr

from bot.core.errors import Unreadable
from storage.keys import FINGERPRINT, SEAL, derived, derived_without_hkdf, key_id
from storage.vault import NONCE_BYTES, Sealed, Slot, Vault

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SECRET = "cs1.canary0canary0canary0"
SLOT = Slot("0123456789abcdef", "client_secret", 1, "••••ary0")
VAULT = Vault([KEY])


def sealed() -> Sealed:
    return VAULT.seal(SLOT, SecretStr(SECRET))


def error_from(value: Sealed, vault: Vault = VAULT) -> str:
    with pytest.raises(Unreadable) as refused:
        vault.open(value)
    return str(refused.value)


def test_a_sealed_value_can_be_opened() -> None:
    assert VAULT.open(sealed()).get_secret_value() == SECRET


@given(st.text(max_size=600))
def test_any_text_survives_sealing_and_opening(text: str) -> None:
    assert VAULT.open(VAULT.seal(SLOT, SecretStr(text))).get_secret_value() == text


def test_the_value_is_not_in_the_ciphertext() -> None:
    assert SECRET.encode() not in sealed().ciphertext


def test_the_same_value_is_sealed_differently_each_time() -> None:
    keys = {sealed().ciphertext for _ in range(20)}

    assert len(keys) == 20
    assert len({ciphertext[:NONCE_BYTES] for ciphertext in keys}) == 20


@pytest.mark.parametrize(
    "other_slot",
    [
        replace(SLOT, onboarding_id="fedcba9876543210"),
        replace(SLOT, field="application_key"),
        replace(SLOT, version=2),
        replace(SLOT, mask="••••0000"),
    ],
    ids=["another onboarding", "another field", "another version", "another mask"],
)
def test_a_moved_ciphertext_does_not_open(other_slot: Slot) -> None:
    assert "altered or moved" in error_from(replace(sealed(), place=other_slot))


def test_crafted_slot_fields_cannot_produce_another_slots_associated_data() -> None:
    first, second = Slot("a", "b", 1, "c"), Slot('a", "b', "", 1, "c")

    assert first.associated_data() != second.associated_data()


@pytest.mark.parametrize("position", [0, NONCE_BYTES - 1, NONCE_BYTES, -1])
def test_an_altered_ciphertext_does_not_open(position: int) -> None:
    value = sealed()
    altered = bytearray(value.ciphertext)
    altered[position] ^= 1

    assert "altered or moved" in error_from(replace(value, ciphertext=bytes(altered)))


@pytest.mark.parametrize("length", [0, 1, NONCE_BYTES - 1, NONCE_BYTES, NONCE_BYTES + 15, -1])
def test_a_truncated_ciphertext_does_not_open(length: int) -> None:
    value = sealed()

    error = error_from(replace(value, ciphertext=value.ciphertext[:length]))

    assert "the stored value was altered or moved" in error


def test_a_missing_key_is_named_by_its_id() -> None:
    text = error_from(sealed(), Vault([OTHER_KEY]))

    assert f"key {key_id(KEY)} is not among CREDENTIAL_KEYS" in text


def test_a_value_sealed_with_a_former_key_still_opens() -> None:
    assert Vault([OTHER_KEY, KEY]).open(sealed()).get_secret_value() == SECRET


def test_the_first_key_is_the_one_that_seals() -> None:
    assert Vault([OTHER_KEY, KEY]).seal(SLOT, SecretStr(SECRET)).key_id == key_id(OTHER_KEY)


def test_a_different_key_with_the_same_id_does_not_open_a_value() -> None:
    value = Vault([OTHER_KEY]).seal(SLOT, SecretStr(SECRET))

    assert "altered or moved" in error_from(replace(value, key_id=key_id(KEY)))


def test_a_key_id_is_short_and_reveals_nothing_about_the_key() -> None:
    assert len(key_id(KEY)) == 8
    assert key_id(KEY) != key_id(OTHER_KEY)
    assert key_id(KEY) not in KEY.hex()


def test_an_error_names_the_slot_but_never_the_value() -> None:
    text = error_from(replace(sealed(), place=replace(SLOT, version=2)))

    assert text.startswith("client_secret of onboarding 0123456789abcdef: ")
    assert "canary" not in text


def test_neither_the_value_nor_the_key_appears_in_a_repr() -> None:
    value = sealed()

    shown = "".join(map(repr, (VAULT, value, VAULT.open(value))))

    assert "canary" not in shown
    assert "kkkk" not in shown


# --- derived keys ---


def test_each_purpose_has_its_own_derived_key() -> None:
    keys = {derived(key, what) for key in (KEY, OTHER_KEY) for what in (FINGERPRINT, SEAL)}

    assert len(keys | {KEY, OTHER_KEY}) == 6


def test_the_derivation_is_hkdf_with_sha256() -> None:
    """RFC 5869, by hand: extract with a salt of zeros, then expand to one block."""
    extracted = hmac.digest(b"\0" * 32, KEY, "sha256")
    expanded = hmac.digest(extracted, b"heavyset-onboarding history seal\1", "sha256")

    assert derived(KEY, SEAL) == expanded


def test_fingerprints_cover_every_key_and_both_derivations() -> None:
    both = Vault([OTHER_KEY, KEY]).fingerprints(SECRET)

    assert VAULT.fingerprint(SECRET) in both
    assert (
        hmac.digest(derived_without_hkdf(KEY, FINGERPRINT), SECRET.encode(), "sha256").hex() in both
    )
    assert len(both) == 4
    assert not both & VAULT.fingerprints("cs1.another")
