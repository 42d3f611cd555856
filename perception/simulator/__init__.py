"""Simulated lifts with exact truth."""
