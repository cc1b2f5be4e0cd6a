"""The command line: it finds the application, asks the client, and prints. It decides nothing.

`main.py` knows the commands by name and loads one when it is asked for; a file per group holds them. Data goes to
stdout, talk to stderr, and every command that reads prints JSON with `--json`.
"""
