"""ServiceTitan's API: the client, the endpoints that prove something, and its refusals."""

from bot.verification.servicetitan.client import Credentials, Patience, ServiceTitan
from bot.verification.servicetitan.tokens import Token

__all__ = ["Credentials", "Patience", "ServiceTitan", "Token"]
