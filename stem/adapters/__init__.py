"""One folder for each engine, named by its URL scheme. Nothing imports an adapter by name: `open_store` finds it."""
