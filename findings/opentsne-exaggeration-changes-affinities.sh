#!/usr/bin/env bash
# openTSNE multiplies the affinities by the exaggeration in place and divides them again, so an optimisation changes its input.
#
# An affinity object reads like an input that several embeddings may share. After `optimize(exaggeration=12)`, the default of the
# early phase, some of its numbers have other last bits (a third after two runs). A second embedding from the same object and
# start then differs from the first one, and so does a run that is divided into parts, as for saving its state. Factors by which
# multiplying and dividing happens to be exact, such as 4, change nothing.
#
# openTSNE 1.0.4, 400 points, one thread. Seen:
#   exaggeration   numbers of P that changed   second run equals the first
#   4              no                          yes
#   12             yes                         no
#   12, a new affinity object for each run     yes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openTSNE==1.0.4 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
cat > "$folder/shared.py" <<'PYTHON'
import numpy as np
from openTSNE import TSNEEmbedding, affinity, initialization

points = np.random.default_rng(0).standard_normal((400, 20))
start = initialization.pca(points, random_state=0)


def affinities():
    return affinity.PerplexityBasedNN(points, perplexity=20, method="exact", n_jobs=1, random_state=0)


def run(near, exaggeration):
    made = TSNEEmbedding(start.copy(), near, negative_gradient_method="bh", n_jobs=1, random_state=0)
    made = made.optimize(40, exaggeration=exaggeration, momentum=0.8, learning_rate=400)
    return np.asarray(made)


for exaggeration, expected in ((4, True), (12, False)):
    near = affinities()
    before = near.P.data.copy()
    first = run(near, exaggeration)
    kept = np.array_equal(before, near.P.data)
    equal = np.array_equal(first, run(near, exaggeration))
    print(f"exaggeration {exaggeration:2}: affinities kept: {kept}, second run equal: {equal}")
    print(f"  share of changed affinities: {(before != near.P.data).mean():.3f}")
    assert (kept, equal) == (expected, expected)
equal = np.array_equal(run(affinities(), 12), run(affinities(), 12))
print(f"exaggeration 12, new affinities for each run: equal: {equal}")
assert equal
PYTHON
OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/shared.py"
