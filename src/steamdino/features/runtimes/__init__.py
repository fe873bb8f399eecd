"""Runtimes compute a model's outputs from pixels. No other module of `features` computes with their libraries.

A new one is one module with a class of the protocol `runtime.Runtime`, one case in `features.encoder`, and its import
in the contract on heavy libraries in ``pyproject.toml``.
"""

from __future__ import annotations
