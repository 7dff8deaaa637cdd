"""Trialwright makes a registered clinical trial executable."""

__version__ = "0.1.0"
