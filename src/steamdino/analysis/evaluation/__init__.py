"""Compares recipes and baselines on one gallery, with numbers."""
