"""Finds out what was altered past the bot: who doesn't look for that never meets this folder."""
