"""Classifiers behind an HTTP address, for other programs."""
