"""Brings a gallery up to date with Steam: the list of games, their details, their banners. Each stage can resume."""

from steamdino.pipeline.sync.most_played import most_played
from steamdino.pipeline.sync.sync import SyncEstimate, estimate, fetch_one, sync
from steamdino.pipeline.sync.sync_request import SyncRequest, SyncSummary

__all__ = ["SyncEstimate", "SyncRequest", "SyncSummary", "estimate", "fetch_one", "most_played", "sync"]
