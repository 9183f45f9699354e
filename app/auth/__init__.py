"""Who calls: API keys, their roles and what they act for."""
