"""The onboarding bot: connects a client's ServiceTitan account, one thread per client."""
