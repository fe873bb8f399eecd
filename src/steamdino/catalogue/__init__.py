"""Where games come from: each source yields entries, and problems for what it could not use."""

from __future__ import annotations
