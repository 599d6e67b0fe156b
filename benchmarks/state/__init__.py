"""`make bench-state`: the bytes and the CPU of the state, beside its peers.

Everything goes through the public tables, streams and replicas; every frame is decoded in Python and in
JavaScript, and what comes out is compared with what was committed.
"""
