"""`python -m trialwright` is the command `trialwright`."""

from trialwright.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
