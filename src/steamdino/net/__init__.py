"""HTTP clients: rate-limited requests with retries to allowed hosts, and fetches from public servers only."""
