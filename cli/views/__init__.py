"""Output for people: `screen` of a system, `tree` of its actors, `trace` of a conversation, `rows` of the database."""
