"""From pixels to vectors: models, transforms, pooling, and the runtimes that run the models."""

from __future__ import annotations
