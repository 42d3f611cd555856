"""One file per pose estimator; the folder is the registry."""
