"""One peer, plain: what the server knows of one, and what a client knows of itself.

The server's: `session` (a user's presence, outliving its connection), `registry` (which there are), `phases` (where a
connection stands), `outbox` (what waits, in lanes), `bucket` (how much is allowed). The client's are named `client…`.
"""
