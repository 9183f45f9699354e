"""Reports: totals over the projection, each with the block that it was read at and a digest."""
