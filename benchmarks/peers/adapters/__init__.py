"""One file for each peer, all of the same shape; each is imported only where its peer is installed.

`start` opens a producer, `enqueue(number)` stores a task and returns what `result` waits with, and `work` runs one
worker process; both processes end by being killed. The task marks its number and returns it. Where the peer's functions
block, all four block.
"""
