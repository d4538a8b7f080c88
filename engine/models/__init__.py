"""One file, one whole model. Models never import each other.

A model is a torch module with
- `terms`: the terms of its cost, and `knobs`: what can be turned while it trains, besides what all models share;
- `draws_needed(labelled_rows, rows)` and `evaluation_draws_needed(images)`: how many normal and uniform draws
  a step and an evaluation take;
- `costs(labelled, labels, x, draws, knobs)`: the raw terms, a pure function of its arguments and the parameters;
- `evaluate(test, labelled_batches, draws)`: what its paper reports, with units;
- `reconstruct(x, draws, knobs)`: what it makes of images, for the sample panel.
"""
