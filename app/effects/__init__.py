"""Effect (用得上、用得好): what organisations report after they were subsidised."""
