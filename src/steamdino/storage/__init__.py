"""Where bytes lie, and how a file is read that nobody vouches for."""
