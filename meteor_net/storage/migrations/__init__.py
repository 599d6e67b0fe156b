"""How the tables of a database came to be what they are: by Alembic, a file for each step."""
