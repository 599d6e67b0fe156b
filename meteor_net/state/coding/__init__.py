"""How a version becomes bytes: `varint` (wire clause 8.5), plain enough for anybody's client."""
