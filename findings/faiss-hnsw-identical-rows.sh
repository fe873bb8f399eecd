#!/usr/bin/env bash
# Identical rows cost unrelated queries recall in an HNSW graph; shuffling them among the others does not help.
#
# A store has thousands of games with the same placeholder banner. Of 20,000 random unit vectors plus 2,000 copies of one of
# them, queries that have nothing to do with the copies find fewer of their ten nearest neighbours than without the copies:
# the graph's links near the copies lead to copies. How much it costs depends on where the copies come in the order of adding.
# So: index distinct vectors, and expand copies afterwards.
#
# faiss-cpu 1.15.1, IndexHNSWFlat(64, 32), inner product, efConstruction 40, efSearch 64, one thread. Seen:
#   without copies               recall@10 0.945
#   2,000 copies, first          recall@10 0.860
#   2,000 copies, last           recall@10 0.846
#   2,000 copies, shuffled (1)   recall@10 0.848
#   2,000 copies, shuffled (2)   recall@10 0.866
#   2,000 copies, shuffled (3)   recall@10 0.866
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet faiss-cpu==1.15.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import faiss
import numpy as np

faiss.omp_set_num_threads(1)
rng = np.random.default_rng(0)
rows, dim = 20_000, 64


def unit(array):
    return np.ascontiguousarray(array / np.linalg.norm(array, axis=1, keepdims=True), dtype=np.float32)


base = unit(rng.normal(size=(rows, dim)))
queries = unit(base[rng.choice(rows, 300, replace=False)] + 0.0375 * rng.normal(size=(300, dim)))
copies = np.tile(base[:1], (rows // 10, 1))


def recall(vectors):
    """Of the ten nearest, the share that the graph finds, whichever of equal ones it takes."""
    exact = faiss.IndexFlatIP(dim)
    exact.add(vectors)
    tenth = exact.search(queries, 10)[0][:, 9:]
    graph = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = 40, 64
    graph.add(vectors)
    return float((graph.search(queries, 10)[0] >= tenth - 1e-5).mean())


both = np.vstack([base, copies])
seen = {
    "without copies": recall(base),
    "2,000 copies, first": recall(np.vstack([copies, base])),
    "2,000 copies, last": recall(both),
}
for number in (1, 2, 3):
    seen[f"2,000 copies, shuffled ({number})"] = recall(both[rng.permutation(len(both))])
for name, value in seen.items():
    print(f"{name:28} recall@10 {value:.3f}")
plain, first, last, *shuffled = seen.values()
assert plain - max(first, last) > 0.05, "copies in a block no longer cost five points of recall"
assert plain - min(shuffled) > 0.05, "shuffled copies no longer do"
PYTHON
