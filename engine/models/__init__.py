"""One file, one whole model; engine/contract.py says what one is. Models never import each other."""
