"""The client of ServiceTitan's API, its endpoints and its errors."""

from bot.verification.servicetitan.client import Credentials, RetryPolicy, ServiceTitan
from bot.verification.servicetitan.tokens import Token

__all__ = ["Credentials", "RetryPolicy", "ServiceTitan", "Token"]
