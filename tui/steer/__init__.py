"""What is asked of an engine, a model or a whole run: keys and words become files, files get answers."""
