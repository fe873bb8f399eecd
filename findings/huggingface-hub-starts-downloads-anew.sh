#!/usr/bin/env bash
# huggingface_hub starts a download anew after a kill, leaves what had arrived, and asks the hub for something else first.
#
# hf_hub_download's partial files have a random name since version 1, so that no later call finds them: after a kill, all
# bytes are downloaded again, and the partial file stays in the cache for good. And before its first request, a process
# asks {endpoint}/api/agent-harnesses which AI agents to report in the User-Agent header, and waits up to three seconds;
# HF_HUB_DISABLE_TELEMETRY=1 prevents that.
#
# huggingface_hub 2.4.0, a file of 30 MB, a hub on loopback that goes silent after 25 MB; the process is killed. Seen:
#   first request                       GET /api/agent-harnesses
#   asked for by the next call          all bytes
#   partial files after it succeeded    1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet huggingface_hub==2.4.0
HF_HOME="$folder/hf" HF_HUB_DISABLE_XET=1 "$folder/venv/bin/python" - <<'PYTHON'
import hashlib
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA, SENT = os.urandom(30_000_000), 25_000_000
requests, silent = [], threading.Event()


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        wanted = self.headers.get("Range")
        requests.append((self.command, self.path, wanted))
        found = "/resolve/" in self.path
        data = DATA[int(wanted[6:].split("-")[0]) :] if found and wanted else DATA if found else b""
        self.send_response(404 if not found else 206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {len(DATA) - len(data)}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("X-Repo-Commit", "c0ffee" * 6 + "beef")
        self.send_header("ETag", f'"{hashlib.sha256(DATA).hexdigest()}"')
        self.end_headers()
        if self.command == "GET" and not silent.is_set():
            self.wfile.write(data[:SENT])
            silent.wait(60)
        elif self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # the client was killed
        pass


server = Server(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
environ = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
command = [sys.executable, "-c", "from huggingface_hub import hf_hub_download; hf_hub_download('a/b', 'c')"]
cache = Path(os.environ["HF_HOME"])


def partial():
    return list(cache.rglob("*.incomplete"))


killed = subprocess.Popen(command, env=environ)
while not any(path.stat().st_size >= 20_000_000 for path in partial()):
    assert killed.poll() is None
    time.sleep(0.05)
killed.kill()
killed.wait()
first = requests[0]
requests.clear()
silent.set()
subprocess.run(command, env=environ, check=True)
(wanted,) = [wanted for method, path, wanted in requests if method == "GET" and "/resolve/" in path]
print(f"first request                       {first[0]} {first[1]}")
print(f"asked for by the next call          {wanted or 'all bytes'}")
print(f"partial files after it succeeded    {len(partial())}")
assert first[1] == "/api/agent-harnesses"
assert wanted is None, "downloads go on now"
assert partial(), "partial files are removed now"
PYTHON
