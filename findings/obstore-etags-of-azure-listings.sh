#!/usr/bin/env bash
# obstore gives one blob of Azure two ETags: without quotes in a listing, with quotes from head() and get().
#
# Azure writes the ETag without quotes into the XML of a listing and with quotes into the header, and obstore passes on both as they
# are. A program that stores the ETag of a download and compares it with that of a later listing, as a cache or a sync does, takes each
# blob for changed, and downloads all of them again each time. For S3 the two are equal.
#
# obstore 0.12.1, Azurite 3.35.0 as the Azure server. Output seen:
#   listing: 0x265A7D585233AC0
#   head:    "0x265A7D585233AC0"
#   get:     "0x265A7D585233AC0"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -z "${server:-}" ] || kill "$server" 2> /dev/null' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet obstore==0.12.1 azure-storage-blob==12.27.1
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" azurite@3.35.0 > /dev/null
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$folder"
node_modules/.bin/azurite-blob --inMemoryPersistence --disableTelemetry --skipApiVersionCheck --silent \
  --blobHost 127.0.0.1 --blobPort "$port" > /dev/null 2>&1 &
server=$!
AZURE_STORAGE_USE_EMULATOR=true AZURITE_BLOB_STORAGE_URL="http://127.0.0.1:$port" "$folder/venv/bin/python" - <<'PYTHON'
import os
import socket
import time
from urllib.parse import urlsplit

import obstore
from azure.storage.blob import BlobServiceClient
from obstore.store import from_url

place = urlsplit(os.environ["AZURITE_BLOB_STORAGE_URL"])
for _ in range(150):
    try:
        socket.create_connection((place.hostname, place.port)).close()
        break
    except OSError:
        time.sleep(0.2)
account = "devstoreaccount1"
# The key of each Azurite, which Microsoft publishes.
key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
BlobServiceClient(f"{place.geturl()}/{account}", credential={"account_name": account, "account_key": key}).create_container("covers")
store = from_url("az://covers")
obstore.put(store, "portal.jpg", b"picture")
[[listed]] = [list(page) for page in obstore.list(store)]
head, got = obstore.head(store, "portal.jpg"), obstore.get(store, "portal.jpg").meta
print("listing:", listed["e_tag"])
print("head:   ", head["e_tag"])
print("get:    ", got["e_tag"])
assert head["e_tag"] == got["e_tag"]
assert f'"{listed["e_tag"]}"' == head["e_tag"], "the two are written alike now"
PYTHON
