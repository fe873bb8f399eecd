#!/usr/bin/env bash
# Qdrant's score_threshold=1.0 finds some exact copies and loses others: the threshold is strict, and a copy's score is only nearly 1.
#
# "Cosine at least 1" reads like the way to ask for exact copies. Scores are sums of rounded products, so that a vector's score with
# its own copy is a little below or above 1, and a point whose score equals the threshold is left out as well ("better than this
# threshold"; servers do the same, the client's local mode since 1.20). Which copies are found depends on the vector.
# A threshold of 0.9999 finds them all.
#
# qdrant-client 1.20.0 in local mode, 1,000 random unit vectors of 64 dimensions, each of them twice, cosine. Seen:
#   scores of copies: 0.999999954 to 1.000000104
#   found with score_threshold 1.0: 1,680 of 2,000
#   found with score_threshold 0.9999: 2,000 of 2,000
#   the third match scores 0.3662, and with that as score_threshold 2 are found
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet qdrant-client==1.20.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from qdrant_client import QdrantClient, models

vectors = np.random.default_rng(0).standard_normal((1000, 64)).astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
client = QdrantClient(":memory:")
parameters = models.VectorParams(size=64, distance=models.Distance.COSINE)
client.create_collection("copies", vectors_config=parameters)
client.upload_collection("copies", vectors=np.vstack([vectors, vectors]), ids=range(2000))


def ask(vector, limit, threshold=None):
    found = client.query_points("copies", query=vector, limit=limit, score_threshold=threshold)
    return [point.score for point in found.points]


scores = [score for vector in vectors for score in ask(vector, 2)]
strict, loose = (sum(len(ask(vector, 2, level)) for vector in vectors) for level in (1.0, 0.9999))
third = ask(vectors[0], 3)[2]
equal = len(ask(vectors[0], 3, third))
print(f"scores of copies: {min(scores):.9f} to {max(scores):.9f}")
print(f"found with score_threshold 1.0: {strict:,} of 2,000")
print(f"found with score_threshold 0.9999: {loose:,} of 2,000")
print(f"the third match scores {third:.4f}, and with that as score_threshold {equal} are found")
assert min(scores) < 1 < max(scores) and loose == 2000
assert strict < 1990, "a threshold of 1 finds all copies now"
assert equal == 2, "the threshold is no longer strict"
PYTHON
