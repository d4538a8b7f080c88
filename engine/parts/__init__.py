"""What more than one model is built from: layers, densities, bounds, corruption."""
