"""What the project claims of itself, each claim a command: `python -m ganad bench speed` and `quality`."""
