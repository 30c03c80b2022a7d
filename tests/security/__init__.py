"""Security over HTTP, against real processes: who may do what, tokens, hostile input."""
