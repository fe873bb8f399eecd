"""Search by one's own picture in the browser: what a static site needs for it, and the scripts that do it."""
