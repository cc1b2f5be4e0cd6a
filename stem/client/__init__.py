"""The producer's side: enqueue, wait, look."""
