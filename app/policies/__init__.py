"""Policies: the files that say what a programme gives to whom, and what follows from them."""
