"""What all ladder networks share: layers, the ways up and down, costs, classification."""
