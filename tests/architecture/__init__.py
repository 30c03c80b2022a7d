"""The laws of the house, kept by tests. Each has been seen to fail on a planted fault."""
