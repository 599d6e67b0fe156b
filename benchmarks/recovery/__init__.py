"""What is left after clients are killed, after a server is, and what it takes to come back."""
