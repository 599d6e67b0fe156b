"""Keyed tables: players are told only of the rows whose key is in their sight (wire clauses 8.19 to 8.24).

`keys.py` declares which rows have which key, `keyed.py` is a keyed table in a version, `encode.py` codes the rows of all
sights in one pass, `sights.py` joins what one player sees, `lookout.py` tells what that is; `decode.py` is the client's side.
"""
