"""The panels of the run screen, one file each. They draw a RunView; they know neither each other nor the inbox."""
