"""What is known of a run: its folder is read, folded together and put into words."""
