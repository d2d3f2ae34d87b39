"""`onboarding report`: how all onboardings went, as one file."""
