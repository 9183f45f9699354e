"""Pages for people. They speak to the same API as everybody else, with the key that the person types in."""
