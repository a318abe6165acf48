"""Articles in SQL: versions, stories, archived responses, learned boilerplate, takedowns."""
