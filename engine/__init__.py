"""The training engine: reads a run's spec, trains, obeys commands, writes what happened. Never imports textual."""
