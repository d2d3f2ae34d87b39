"""A pretend ServiceTitan on loopback."""
