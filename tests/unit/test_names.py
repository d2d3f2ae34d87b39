"""Suggested names: the client's from its channel's, and the channel's from its client's."""

import pytest

from bot.onboarding.names import LONGEST_CHANNEL, channel_for_client, client_from_channel


@pytest.mark.parametrize(
    ("channel", "client"),
    [
        ("acme", "Acme"),
        ("acme-plumbing-heavyset", "Acme Plumbing"),
        ("ext-acme-plumbing", "Acme Plumbing"),
        ("heavyset-acme_plumbing", "Acme Plumbing"),
        ("heavyset-tech-x-acme", "Acme"),
        ("heavysettech-acme", "Acme"),
        ("client-acme-onboarding", "Acme"),
        ("ext-client-acme-heavyset-servicetitan-onboarding", "Acme"),
        ("acme-tech", "Acme Tech"),
        ("smith-and-sons-hvac", "Smith and Sons HVAC"),
        ("the-plumbers", "The Plumbers"),
        ("24-7-drains", "24 7 Drains"),
        ("o'neill-heating", "O'neill Heating"),
        ("ärzte-klima", "Ärzte Klima"),
        ("heavyset-onboarding", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_the_client_name_is_derived_from_the_channel_name(channel: str, client: str) -> None:
    assert client_from_channel(channel) == client


@pytest.mark.parametrize(
    ("client", "channel"),
    [
        ("Acme", "acme-heavyset"),
        ("Acme Plumbing", "acme-plumbing-heavyset"),
        ("  Tom & Jerry's, Inc. ", "tom-and-jerrys-inc-heavyset"),
        ("Müller Klima", "muller-klima-heavyset"),
        ("24/7 Drains", "24-7-drains-heavyset"),
        ("配管", ""),
        ("!!!", ""),
    ],
)
def test_the_channel_name_is_derived_from_the_client_name(client: str, channel: str) -> None:
    assert channel_for_client(client) == channel


@pytest.mark.parametrize("client", ["a" * 80, "a " * 40, "a" * 70 + " b"])
def test_a_channels_name_is_never_too_long(client: str) -> None:
    name = channel_for_client(client)

    assert len(name) <= LONGEST_CHANNEL
    assert name.endswith("-heavyset")
    assert "--" not in name


@pytest.mark.parametrize("client", ["Acme", "Acme Plumbing", "Smith and Sons HVAC"])
def test_deriving_a_channel_name_and_back_restores_the_client_name(client: str) -> None:
    assert client_from_channel(channel_for_client(client)) == client
