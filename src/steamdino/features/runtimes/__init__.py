"""Runtimes compute a model's outputs from pixels. Each library is imported in one of these modules only.

A new one is one module with a class of the protocol `runtime.Runtime`, and one case in `features.encoder`.
"""

from __future__ import annotations
