"""From Steam into the gallery: the list of games, what is known of each, its banners. Each stage resumes by itself."""

from steamdino.pipeline.sync.most_played import most_played
from steamdino.pipeline.sync.sync import SyncEstimate, estimate, fetch_one, sync
from steamdino.pipeline.sync.sync_request import SyncRequest, SyncSummary

__all__ = ["SyncEstimate", "SyncRequest", "SyncSummary", "estimate", "fetch_one", "most_played", "sync"]
