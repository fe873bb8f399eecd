"""From pixels to vectors: models, transforms, pooling, and the runtimes that compute them."""

from __future__ import annotations
