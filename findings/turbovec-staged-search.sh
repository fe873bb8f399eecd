#!/usr/bin/env bash
# From 32,768 vectors on, turbovec 1.1 compares a part of the bits first, and misses true matches where vectors have no clusters.
#
# A flat index of 4-bit codes reads like a scan of all codes, so that twice as many candidates as matches are enough for
# re-ranking. On CPUs with AVX-512 VBMI and VNNI (and on ARM) the scan is staged instead, by default: rows whose first bits look
# bad are never scored. Embeddings with clusters lose nothing. Of random vectors, of the 10 rows with the best scores under the
# library's own codes, one or two are missing when 10 are asked for, and a tenth to a sixth of the best 50 of 50.
# TURBOVEC_4BIT_PLANES=0 (TURBOVEC_2BIT_PLANES=0), read once for a process, turns it off, for two to four times the time.
#
# turbovec 1.1.2, 40,000 random unit vectors of 512 dimensions, five queries, one thread. Seen on an AMD EPYC with AVX-512 VNNI:
#   k     staged   all codes       (rows of the best k by the same codes that are missing, of 5 k)
#   10         8           0
#   50        35           0
#   200       82           0
# With 32,000 vectors nothing is missing in either. CPUs without these instructions always compare all codes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet turbovec==1.1.2 numpy==2.4.6
cat > "$folder/missing.py" <<'PYTHON'
import json
import sys

import numpy as np
import turbovec

rng = np.random.default_rng(0)
vectors = rng.standard_normal((40_000, 512), np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
queries = vectors[:5]
found = {}
for rows in (32_000, 40_000):
    index = turbovec.TurboQuantIndex(512, 4)
    index.add(vectors[:rows])
    _, everything = index.search(queries, rows)
    for k in (10, 50, 200):
        _, best = index.search(queries, k)
        lost = sum(len(set(a[:k]) - set(b)) for a, b in zip(everything.tolist(), best.tolist()))
        found[f"{rows} rows, k={k}"] = lost
json.dump(found, sys.stdout)
PYTHON
staged=$(RAYON_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/missing.py")
whole=$(RAYON_NUM_THREADS=1 TURBOVEC_4BIT_PLANES=0 "$folder/venv/bin/python" "$folder/missing.py")
"$folder/venv/bin/python" - "$staged" "$whole" <<'PYTHON'
import json
import sys
from pathlib import Path

staged, whole = map(json.loads, sys.argv[1:])
for name in staged:
    print(f"{name:22} staged {staged[name]:4}   all codes {whole[name]:4}")
assert not any(whole.values()), "comparing all codes misses rows now"
assert not any(lost for name, lost in staged.items() if name.startswith("32000"))
flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
if "avx512_vnni" in flags and "avx512vbmi" in flags:
    assert staged["40000 rows, k=50"] > 10, "staged search no longer misses rows"
PYTHON
