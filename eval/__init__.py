"""Scores for perception and guidance."""
