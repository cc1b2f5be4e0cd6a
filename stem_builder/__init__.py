"""stem-build: reads your source without importing it, and writes the typed definitions and the registry of a package.

Source goes through five steps: scan -> model -> check -> lock -> render. Only the schema step imports anything of
yours, in a child process, and then only modules that hold models.
"""
