"""What everything else builds on; imports nothing of ours."""
