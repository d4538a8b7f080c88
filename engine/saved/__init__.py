"""Saved models as models again: restored, evaluated, and serving questions."""
