"""Workers that are killed and servers that are restarted under load, and an audit of what became of every task."""
