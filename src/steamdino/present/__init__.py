"""The user interfaces: command line, exports, web. Only this package prints and sets exit codes."""

from __future__ import annotations
