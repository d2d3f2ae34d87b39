"""Reconciles Slack with the stored state."""
