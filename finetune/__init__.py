"""From corpus examples to a LoRA adapter."""
