"""Determines who is due for a reminder, and sends it."""
