"""The reports, one a file: what the columns are and how the rows are read."""
