"""The settings of the program. Only entry points build them.

A value comes from the first of these that has it: a flag, the environment (``STEAMDINO_GALLERY``, ...), the file
``steamdino.toml`` in the current folder, the default. Settings about Steam are in the file's table ``[steam]`` and in
``STEAMDINO_STEAM_...``; settings of `serve` are in ``[web]`` and ``STEAMDINO_WEB_...``,
thresholds of `check` in ``[check]`` and ``STEAMDINO_CHECK_...``, those of `duplicates` in ``[duplicates]`` and
``STEAMDINO_DUPLICATES_...``.

The standard library's ``tomllib`` and frozen dataclasses read them, since a library for settings would slow down every
search: importing pydantic-settings takes 125 ms of processor time, dynaconf 64 ms, and ``tomllib`` 12 ms.
"""

from __future__ import annotations

from steamdino.settings.sections import CheckSettings, DuplicateSettings, Settings, SteamSettings, WebSettings
from steamdino.settings.values import is_root_path

__all__ = ["CheckSettings", "DuplicateSettings", "Settings", "SteamSettings", "WebSettings", "is_root_path"]
