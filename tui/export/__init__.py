"""What other programs read of a run: made from its folder alone."""
