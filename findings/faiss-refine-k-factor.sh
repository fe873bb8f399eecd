#!/usr/bin/env bash
# "RFlat" in a FAISS factory string refines nothing until k_factor is raised: it re-ranks as many candidates as are asked for.
#
# An index of quantised vectors with exact re-ranking reads like the best of both, and its distances are exact. But k_factor is 1
# after the factory, so that of ten results the same ten come back as without refinement, in another order. Recall@10 of both is the
# same to the last digit; with k_factor 10 it is another index.
#
# faiss-cpu 1.15.1, 20,000 random unit vectors of 64 dimensions, inner product, one thread. Seen:
#   PQ16x4fs                     recall@10 0.229
#   PQ16x4fs,RFlat               recall@10 0.229   (k_factor 1)
#   PQ16x4fs,RFlat, k_factor 10  recall@10 0.654
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
rows, dim, k = 20_000, 64, 10


def unit(array):
    return np.ascontiguousarray(array / np.linalg.norm(array, axis=1, keepdims=True), dtype=np.float32)


base, queries = unit(rng.normal(size=(rows, dim))), unit(rng.normal(size=(200, dim)))
exact = faiss.IndexFlatIP(dim)
exact.add(base)
truth = exact.search(queries, k)[1]


def found(text, k_factor=None):
    index = faiss.index_factory(dim, text, faiss.METRIC_INNER_PRODUCT)
    index.train(base)
    index.add(base)
    if k_factor:
        index.k_factor = k_factor
    return index, index.search(queries, k)[1]


def recall(ids):
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(ids, truth)]))


_, plain = found("PQ16x4fs")
refined, ids = found("PQ16x4fs,RFlat")
_, wide = found("PQ16x4fs,RFlat", 10)
print(f"PQ16x4fs                     recall@10 {recall(plain):.3f}")
print(f"PQ16x4fs,RFlat               recall@10 {recall(ids):.3f}   (k_factor {refined.k_factor:g})")
print(f"PQ16x4fs,RFlat, k_factor 10  recall@10 {recall(wide):.3f}")
assert refined.k_factor == 1, "the factory sets k_factor now"
assert all(set(a) == set(b) for a, b in zip(plain, ids)), "refinement brings other rows now"
assert recall(wide) > 2 * recall(ids)
PYTHON
