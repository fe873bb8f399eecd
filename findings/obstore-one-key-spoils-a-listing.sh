#!/usr/bin/env bash
# One key with an empty part ("covers//portal.jpg") makes obstore's listing of a whole bucket fail, at valid objects too.
#
# S3 allows any key, and tools that join a prefix that ends in a slash with a name make such keys by mistake. obstore parses each
# key as a path of Rust's object_store, which has no empty parts. list() raises InvalidPathError for the page that holds the key,
# and the other objects of the page are lost with it. The object cannot be read by get() or removed by delete() either, which
# raise ValueError. boto3 lists and reads it.
#
# obstore 0.12.1, moto 5.2.5 as the S3 server. Output seen:
#   boto3 lists 3 objects, obstore InvalidPathError
#   without that key: 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -z "${server:-}" ] || kill "$server" 2> /dev/null' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet obstore==0.12.1 'moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/python" -m moto.server -p "$port" > /dev/null 2>&1 &
server=$!
AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 \
  AWS_ENDPOINT_URL="http://127.0.0.1:$port" "$folder/venv/bin/python" - <<'PYTHON'
import os
import time
import urllib.error
import urllib.request

import boto3
import obstore
from obstore.store import from_url

for _ in range(100):
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/moto-api/").close()
        break
    except OSError:
        time.sleep(0.2)
client = boto3.client("s3")
client.create_bucket(Bucket="covers")
for key in ("covers/doom.jpg", "covers//portal.jpg", "covers/quake.jpg"):
    client.put_object(Bucket="covers", Key=key, Body=b"picture")
known = len(client.list_objects_v2(Bucket="covers")["Contents"])
store = from_url("s3://covers", client_options={"allow_http": True})


def listed():
    return sum(len(page) for page in obstore.list(store))


try:
    listed()
    raise SystemExit("the bucket can be listed now")
except Exception as error:
    print(f"boto3 lists {known} objects, obstore {type(error).__name__}")
    assert type(error).__name__ == "InvalidPathError"
try:
    obstore.get(store, "covers//portal.jpg")
    raise SystemExit("the object can be read now")
except ValueError:
    pass
client.delete_object(Bucket="covers", Key="covers//portal.jpg")
print(f"without that key: {listed()}")
assert listed() == 2
PYTHON
