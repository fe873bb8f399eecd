"""The page and the API: FastAPI over snapshots (extra `web`)."""
