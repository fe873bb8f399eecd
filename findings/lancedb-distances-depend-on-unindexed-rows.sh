#!/usr/bin/env bash
# LanceDB's distances of the same rows change when an unrelated row is added, and change back when the table is optimized.
#
# With an IVF_PQ index, a search returns the distances of compressed vectors, so that a row is not at distance 0 from itself. While
# the table has rows that are not in the index yet, though, the rows that the index found get their exact distances, as with
# refine_factor(1). A limit on the distance (distance_range, or a comparison of one's own) then lets other rows through, until
# optimize() adds the new row to the index. refine_factor makes the distances exact in all four states.
#
# lancedb 0.40.0, 5,000 random unit vectors of 64 dimensions, cosine. Seen (the index is trained at random):
#                              to itself         below 0.7 of 10 found  to itself, with refine_factor(10)
#   no index                   0.000             10                     0.000
#   IVF_PQ                     0.490             1                      0.000
#   and one row was added      0.000             5                      0.000
#   and optimize()             0.490             1                      0.000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lancedb==0.40.0 numpy==2.4.6 pyarrow==26.0.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import lancedb
import numpy as np
import pyarrow as pa

rng = np.random.default_rng(0)
vectors = rng.standard_normal((5001, 64), np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)


def rows(some, start=0):
    column = pa.FixedSizeListArray.from_arrays(pa.array(some.ravel()), some.shape[1])
    return pa.table({"id": pa.array(range(start, start + len(some))), "vector": column})


def look(state):
    search = table.search(vectors[7]).distance_type("cosine").limit(10)
    plain = search.to_arrow()
    exact = search.refine_factor(10).to_arrow()
    own = dict(zip(plain["id"].to_pylist(), plain["_distance"].to_pylist()))[7]
    refined = dict(zip(exact["id"].to_pylist(), exact["_distance"].to_pylist()))[7]
    below = sum(distance < 0.7 for distance in plain["_distance"].to_pylist())
    print(f"{state:26} {abs(own):.3f}             {below:<2}                     {abs(refined):.3f}")
    assert refined < 1e-6, "refining no longer gives exact distances"
    return own


table = lancedb.connect("database").create_table("rows", rows(vectors[:5000]))
flat = look("no index")
table.create_index("vector", config=lancedb.index.IvfPq(distance_type="cosine"))
indexed = look("IVF_PQ")
table.add(rows(vectors[5000:], 5000))
added = look("and one row was added")
table.optimize()
optimized = look("and optimize()")
assert flat < 1e-6 and indexed > 0.1, "an index no longer changes the distance of a row to itself"
assert added < 1e-6, "adding a row no longer changes distances"
assert optimized > 0.1, "optimizing no longer changes them back"
PYTHON
