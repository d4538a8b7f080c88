"""Loops that are not ours: any training loop, in torch or without it, as a run that is recorded and steered."""
