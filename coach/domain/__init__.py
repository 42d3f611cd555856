"""Plain data shared by every package; the standard library and pydantic only."""
