"""A pretend Slack and a pretend ServiceTitan, to run the real bot against."""
