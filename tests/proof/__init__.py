"""The standing proof: what is done to runs in earnest, counted. All of it is run by `make stress`."""
