"""How well the fraud checks tell good claims from bad ones, on seeded data whose truth is known."""
