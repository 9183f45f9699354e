"""Breaks a running service at random moments, and counts what it lost or did twice."""
