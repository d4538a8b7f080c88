"""Faults that are planted into trainings, and how it is measured what the diagnoses make of them."""
