"""Certificates that the environment names are trusted, and one that is refused is told from a lost connection."""

from __future__ import annotations

import http.server
import ipaddress
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steamdino.errors import NetworkError, UsageError
from steamdino.net import client as client_module
from steamdino.net.certificates import VARIABLES, trusted
from steamdino.net.client import Client, ClientPolicy

pytest.importorskip("cryptography", reason="makes the certificates")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Authority:
    """An authority's certificate, and a server that shows one signed by it."""

    certificate: Path
    address: str


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder, now = tmp_path_factory.mktemp("certificates"), datetime.now(UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("An authority", "A server")
    ]
    made = []
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False
            )
        )
        if number:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "authority.pem").write_bytes(made[0])
    secret = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(made[1] + secret)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Authority(folder / "authority.pem", f"https://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    client_module._certificates.cache_clear()
    yield
    client_module._certificates.cache_clear()


def fetched(address: str) -> bytes:
    policy = ClientPolicy(rate=0, connections=1, backoff=0.01, tries=3, timeout=10, user_agent="a test")
    with Client((address.removeprefix("https://"),), policy) as client:
        body: bytes = client.get(f"{address}/x", largest=100, read=lambda reply: reply.body)
        return body


@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_that_people_know_names_certificates(
    variable: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = authority.certificate.parent if variable == "SSL_CERT_DIR" else authority.certificate
    monkeypatch.setenv(variable, str(named))
    assert fetched(authority.address) == b"{}"


def test_a_folder_may_be_named_instead_of_a_file_and_holds_files_of_any_name(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "our company.crt").write_bytes(authority.certificate.read_bytes())
    (tmp_path / "notes.txt").write_text("not a certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert fetched(authority.address) == b"{}"


def test_a_refused_certificate_is_named_at_once_with_what_to_do(authority: Authority) -> None:
    with pytest.raises(NetworkError) as caught:
        fetched(authority.address)
    host = authority.address.removeprefix("https://")
    assert str(caught.value).startswith(f"the certificate of {host} was refused (")
    assert "unable to get local issuer certificate" in str(caught.value)
    assert str(caught.value).endswith(
        "if your own network signs for it, name its certificates with SSL_CERT_FILE"
    )


def test_what_holds_no_certificates_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name, reason in (
        (tmp_path / "empty.pem", "it holds no certificates"),
        (tmp_path / "none", "No such file"),
    ):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(name))
        with pytest.raises(UsageError, match=f"REQUESTS_CA_BUNDLE is .*{reason}.*; correct or unset it"):
            trusted()


def test_sync_says_so_in_one_line(
    run: Run, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAMDINO_STEAM_API_URL", authority.address)
    done = run("sync", "730", "-g", tmp_path / "g")
    assert done.returncode == 1
    assert "was refused (unable to get local issuer certificate)" in done.stderr
    assert done.stderr.count("\n") == 1
