"""How the engine talks to storage."""
