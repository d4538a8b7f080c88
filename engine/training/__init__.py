"""Training a run: the loop, readable top to bottom, and what it does once in a while."""
