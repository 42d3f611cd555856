"""Clients of servers that speak to language models, one file each."""
