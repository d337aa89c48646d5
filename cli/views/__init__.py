"""What is drawn: `screen` a system, `tree` its actors, `trace` a conversation, `rows` an answer of the database."""
