"""One file per metric of guidance."""
