"""Evidence (存证): trades as platforms post them, durable at once, anchored in batches, provable for ever."""
