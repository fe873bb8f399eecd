"""The archive of onnxruntime-web, for tests that run it in browsers."""

from __future__ import annotations

import sys
from pathlib import Path

from steamdino.present.export.picture_search.runtime_files import VERSION

ARCHIVE = Path(sys.prefix) / "onnxruntime-web" / f"onnxruntime-web-{VERSION}.tgz"
"""What `make .venv/onnxruntime-web` downloads."""
HOW = "run: make .venv/onnxruntime-web"
