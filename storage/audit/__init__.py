"""Detects changes made to the database by anyone but the bot.

`seals` signs and verifies; `sealed_state` covers an onboarding's rows; `verify_history` and
`verify_rows` are `onboarding db check`; `reseal` is key rotation; `head_log` notes in the log where
each history ends. The rest of the bot needs only `storage.history`.
"""
