"""The world of the integration tests."""

from tests.integration.conftest import begun, world

__all__ = ["begun", "world"]
