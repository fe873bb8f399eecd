"""From Steam into the gallery: the list of games, what is known of each, its banners. Each stage resumes by itself."""

from steamdino.pipeline.sync.run import Estimate, estimate, fetch_one, sync
from steamdino.pipeline.sync.top import most_played
from steamdino.pipeline.sync.wanted import SyncSummary, Wanted

__all__ = ["Estimate", "SyncSummary", "Wanted", "estimate", "fetch_one", "most_played", "sync"]
