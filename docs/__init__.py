"""The documentation: its pages, and what writes, draws and builds them."""
