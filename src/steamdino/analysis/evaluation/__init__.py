"""Evaluates recipes and baselines on one gallery: retrieval metrics, agreement and cost."""
