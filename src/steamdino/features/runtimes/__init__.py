"""What computes a model: each runtime takes a batch of pixels and gives its tokens."""

from __future__ import annotations
