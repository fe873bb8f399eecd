#!/usr/bin/env bash
# A row of zeros is in a LanceDB table and counted, but a cosine search never returns it, whatever its limit; other distances do.
#
# An encoder gives zeros for a blank picture, or a missing vector is filled with them. LanceDB's add() refuses rows with NaN but takes
# zeros. Their cosine distance is 0/0, and the search drops them without a word. A job that asks for all rows in the order of their
# distance, to page through them or to export them, loses these. A zero query finds nothing.
#
# lancedb 0.40.0, ten vectors of 8 dimensions, the fourth of them zeros, limit 100. Seen:
#   count_rows() 10
#   cosine: 9 rows, without [3]
#   dot:    10 rows
#   l2:     10 rows
#   cosine, a query of zeros: 0 rows
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lancedb==0.40.0 numpy==2.4.6 pyarrow==26.0.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import lancedb
import numpy as np

vectors = np.random.default_rng(0).standard_normal((10, 8)).astype(np.float32)
vectors[3] = 0
data = [{"id": number, "vector": vector.tolist()} for number, vector in enumerate(vectors)]
table = lancedb.connect("database").create_table("rows", data)
print(f"count_rows() {table.count_rows()}")


def found(metric, query):
    return {row["id"] for row in table.search(query).distance_type(metric).limit(100).to_list()}


for metric in ("cosine", "dot", "l2"):
    ids = found(metric, vectors[0])
    missing = sorted(set(range(10)) - ids)
    print(f"{metric + ':':7} {len(ids)} rows" + (f", without {missing}" if missing else ""))
    assert missing == ([3] if metric == "cosine" else []), "other rows are found now"
zero = found("cosine", vectors[3])
print(f"cosine, a query of zeros: {len(zero)} rows")
assert not zero, "a query of zeros finds rows now"
PYTHON
