"""Complete recipes, one TOML file each, named as typed."""
