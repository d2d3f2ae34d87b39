"""The sandbox in a browser: both sides of an onboarding on one page, without a Slack account."""
