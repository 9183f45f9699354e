"""The fourteen fraud checks (骗补): what each looks at, what it answers and why; holds for a person, decisions kept."""
