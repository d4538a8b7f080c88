"""Answers to what can be asked of a model, while it trains or from a checkpoint."""
