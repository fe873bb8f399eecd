"""Compare libraries that read many small objects from object storage.

    python benchmarks/objects.py --pictures FOLDER [--count 10000]

nginx, which must be installed, serves copies of the folder's JPEG files on loopback as a bucket of S3. Each library
reads all of them in a process of its own: obstore in 16 threads, and s3fs, if it is installed, in 16 threads and by its
own concurrency. Prints a JSON object a line.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path

THREADS = 16
BUCKET = "covers"
CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/root; }}
}}
"""


def obstore_threads(keys: list[str]) -> int:
    """Read objects with obstore; return the bytes."""
    import obstore
    from obstore.store import from_url

    store = from_url(f"s3://{BUCKET}", client_options={"allow_http": True})
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda key: len(obstore.get(store, key).bytes()), keys))


def s3fs_threads(keys: list[str]) -> int:
    """Read objects with s3fs in threads; return the bytes."""
    files = importlib.import_module("s3fs").S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda key: len(files.cat_file(f"{BUCKET}/{key}")), keys))


def s3fs_itself(keys: list[str]) -> int:
    """Read objects with s3fs, all in one call; return the bytes."""
    files = importlib.import_module("s3fs").S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    return sum(map(len, files.cat([f"{BUCKET}/{key}" for key in keys]).values()))


READERS: dict[str, Callable[[list[str]], int]] = {
    "obstore, threads": obstore_threads,
    "s3fs, threads": s3fs_threads,
    "s3fs, its own concurrency": s3fs_itself,
}


def measure(name: str, count: int) -> None:
    """Read all objects, and print what it took."""
    started, worked = time.perf_counter(), time.process_time()
    size = READERS[name]([f"{number}.jpg" for number in range(count)])
    figures = {
        "library": name,
        "bytes": size,
        "objects a second": round(count / (time.perf_counter() - started)),
        "ms of the processor": round(1e3 * (time.process_time() - worked) / count, 3),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Serve the objects, and let each library read them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, help="a folder with JPEG files")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--read", choices=READERS, help=argparse.SUPPRESS)  # in its own process
    given = parser.parse_args()
    if given.read:
        measure(given.read, given.count)
        return
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        folder.chmod(0o755)  # nginx may serve as another user
        bucket = folder / "root" / BUCKET
        bucket.mkdir(parents=True)
        files = sorted(given.pictures.glob("*.jpg"))
        for number, file in enumerate(islice(cycle(files), given.count)):
            shutil.copy(file, bucket / f"{number}.jpg")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port), "utf-8")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        server = subprocess.Popen([program, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        endpoint = f"http://127.0.0.1:{port}"
        known = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
        time.sleep(1)
        try:
            for reader in READERS:
                if find_spec(reader.partition(",")[0]):
                    command = [sys.executable, __file__, "--read", reader, "--count", str(given.count)]
                    subprocess.run(
                        command, env={**os.environ, **known, "AWS_ENDPOINT_URL": endpoint}, check=True
                    )
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
