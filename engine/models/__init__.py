"""One file, one whole model. Models never import each other."""
