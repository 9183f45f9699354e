"""Operations: what was accepted for the chain, and what became of it."""
