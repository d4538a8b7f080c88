"""The lessons: a run to be trained, and a guide beside it that watches its journal."""
