"""One step: what is played, how it moves, and what it writes."""
