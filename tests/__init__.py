"""The tests, by what they test."""

PATIENCE = 300.0
"""Seconds that a real process may take where time is not what it promises: a machine may have much else to do."""
