"""One file, one whole model. Models never import each other.

A model is a torch module with
- `terms`: the terms of its cost, and `knobs`: what can be turned while it trains, besides what all models share;
- `draws_needed(labelled_rows, rows)`: how many normal and uniform draws a step takes;
- `costs(labelled, labels, x, draws, knobs)`: the raw terms, a pure function of its arguments and the parameters;
- `evaluate(test, batches, seed)`: the quick measure that a training takes now and then, with units; `batches` gives the
  training and labelled images for statistics; its draws come from the seed;
- `reconstruct(x, draws, knobs)`: what it makes of images, for the sample panel.

One that is trained in stages also has `stage` and `stages(epoch_steps)`; see engine/staging.py.
"""
