"""Sets up the environment that vLLM lives in; the standard library alone, because nothing else is there yet."""
