"""The gateway: HTTP in, transactions out, projections read. One package per capability."""
