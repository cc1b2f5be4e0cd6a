"""Handlers in child processes: `run_in="process"`."""
