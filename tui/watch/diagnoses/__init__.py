"""What goes wrong in trainings, each in a file of its own: what is seen, what it means, what helps."""
