"""`python -m bot`: the same as the console script `onboarding`."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
