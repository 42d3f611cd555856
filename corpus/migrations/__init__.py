"""Migrations of the corpus tables, one file a version."""
