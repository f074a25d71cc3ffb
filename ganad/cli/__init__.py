"""The command line: what it prints, and how it talks to a terminal."""
