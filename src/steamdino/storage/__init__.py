"""Files: atomic writes, the output that a user requests with ``-o``, and checked reading of untrusted files."""
