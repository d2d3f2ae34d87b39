"""Shared building blocks; imports nothing else of the bot."""
