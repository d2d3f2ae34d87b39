"""`onboarding export`: the history of an onboarding as one file."""
