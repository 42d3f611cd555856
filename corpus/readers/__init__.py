"""Readers of files, one per file format."""
