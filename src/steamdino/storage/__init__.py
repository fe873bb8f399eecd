"""Where bytes lie: the program's own files, what a user asks for with ``-o``, and files that nobody vouches for."""
