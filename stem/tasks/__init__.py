"""What a task is. No I/O in this folder."""
