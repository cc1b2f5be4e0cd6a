"""What storage owes the engine: each file is a set of promises, each promise has a test with the same words."""
