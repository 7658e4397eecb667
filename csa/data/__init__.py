"""Tables, their sources, checks and roll-ups."""
