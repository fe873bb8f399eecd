"""Where bytes go: the program's own files, and what a user asks for with ``-o``."""
