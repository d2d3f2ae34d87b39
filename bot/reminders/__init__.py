"""Who is due a reminder, and sending it."""
