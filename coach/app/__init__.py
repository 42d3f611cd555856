"""The web app: one page to see a lift and talk about it, one to curate texts, one to rate guidance."""
