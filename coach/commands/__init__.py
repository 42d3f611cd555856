"""The command groups of the command line, one file each, named as typed."""
