"""What is measured, and RESULTS.md with what came out."""
