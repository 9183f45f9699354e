"""Documents (材料): what organisations hand in, kept by digest outside SQL, for their parties and reviewers only."""
