"""Migrations of the app's tables, one file a version."""
