"""Whose credentials are used, and where requests go, as the environment says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.buckets import SECRET, banner, put
from tests.fakes.object_storage import Faults, ObjectStorage, faulty

from steamdino import add
from steamdino.errors import MissingExtraError, SourceError
from steamdino.installation import extra_command
from steamdino.storage import object_client

PROFILES = f"""
[default]
aws_access_key_id = default-key-id
aws_secret_access_key = {SECRET}
[artists]
aws_access_key_id = artists-key-id
aws_secret_access_key = {SECRET}
[empty]
"""


@pytest.fixture
def profiles(storage: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with profiles and no keys in the environment."""
    pytest.importorskip("boto3", reason="needs the extra profiles")
    (tmp_path / "credentials").write_text(PROFILES)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.mark.parametrize("profile", ["default", "artists"])
def test_requests_are_signed_with_the_keys_of_the_profile(
    storage: ObjectStorage,
    address: str,
    profiles: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
) -> None:
    put(storage, address, "a.png", banner(1))
    with faulty(storage, faults := Faults()) as url:
        monkeypatch.setenv("AWS_PROFILE", profile)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        object_client.client.cache_clear()
        assert add(tmp_path / "g", address).new == 1
    assert faults.signed_by == {f"{profile}-key-id"}


def test_keys_in_the_environment_win_over_a_profile(
    storage: ObjectStorage, address: str, profiles: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, address, "a.png", banner(1))
    with faulty(storage, faults := Faults()) as url:
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        for name, value in storage.environment(url).items():
            monkeypatch.setenv(name, value)
        object_client.client.cache_clear()
        assert add(tmp_path / "g", address).new == 1
    assert faults.signed_by == {"a-key-id"}


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("nobody", "the config profile (nobody) could not be found"),
        ("empty", "it holds no credentials"),
    ],
)
def test_a_profile_that_gives_no_credentials_is_told_in_one_line(
    address: str,
    profiles: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., Any],
    profile: str,
    told: str,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", profile)
    done = run("add", address, "-g", tmp_path / "g")
    assert done.returncode == 1
    assert done.stderr.lower() == f"steam-dino: aws_profile is '{profile}', which cannot be used: {told}\n"


def test_a_profile_without_boto3_names_the_extra(
    address: str, profiles: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "artists")
    monkeypatch.setitem(sys.modules, "boto3", None)
    object_client.client.cache_clear()
    with pytest.raises(MissingExtraError, match=re.escape(extra_command("profiles"))):
        object_client.client(address)


def test_an_address_that_cannot_be_opened_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    object_client.client.cache_clear()
    with pytest.raises(SourceError, match="^s3:// cannot be opened: [^\n]*$"):
        object_client.client("s3://")
