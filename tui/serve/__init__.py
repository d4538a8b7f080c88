"""The dashboard in a browser: a server of this machine, and a dashboard in a terminal of its own for every page."""
