"""A class of the user's own as a model: loaded, its declarations read, what it leaves out completed, looked at once."""
