"""The commands that operators run."""
