#!/usr/bin/env bash
# httpx2 logs whole addresses at INFO, with the keys that they contain.
#
# Many APIs, Steam's among them, take their key as a parameter of the address. httpx2 logs each request's address at INFO on the logger
# "httpx2", with the query. A program that calls logging.basicConfig(level=INFO) for its own messages so writes the keys into its log.
# Raise the level of that logger, or filter what it logs.
#
# httpx2 2.16.2, a request to a server on this machine. Seen:
#   INFO:httpx2:HTTP Request: GET http://127.0.0.1:.../?key=SECRET "HTTP/1.0 200 OK"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet httpx2==2.16.2
"$folder/venv/bin/python" - <<'PYTHON'
import io
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
log = io.StringIO()
logging.basicConfig(level=logging.INFO, stream=log)
httpx2.get(f"http://127.0.0.1:{server.server_port}/", params={"key": "SECRET"})
server.shutdown()
print(log.getvalue().strip())
assert "key=SECRET" in log.getvalue()
PYTHON
