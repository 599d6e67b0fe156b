"""Twisted and Autobahn, serving.

The data's way: `transport` and `site` take bytes, `protocol` makes packets of them, `connection` messages and phases, `host`
gives the plain half the time and sends what it leaves; `service` and `tap` start all that from `settings`.
"""
