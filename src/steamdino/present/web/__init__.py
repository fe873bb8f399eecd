"""The web pages and the HTTP API: a FastAPI app over snapshots (extra `web`)."""
