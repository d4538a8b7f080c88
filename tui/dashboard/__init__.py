"""The dashboard: what is seen."""
