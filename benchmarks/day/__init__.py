"""A day of a worker's life, as fast as the processor lets it pass: every option mixed by a seed, then the counts."""
