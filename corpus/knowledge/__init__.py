"""Fault library, reference values, glossary and segment table, with their loader."""
