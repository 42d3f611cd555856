"""One file per guidance writer; the folder is the registry."""
