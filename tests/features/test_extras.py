"""An optional library that is missing is reported with the extra that installs it."""

from __future__ import annotations

import re
import sys

import pytest

from steamdino.errors import MissingExtraError
from steamdino.features.hub import download
from steamdino.installation import extra_command


def test_fetching_without_huggingface_hub_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # importing it fails
    with pytest.raises(MissingExtraError, match=re.escape(extra_command("hub"))):
        download("owner/model", "model.onnx")
