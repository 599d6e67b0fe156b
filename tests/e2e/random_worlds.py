"""Worlds of every kind of field, in which random things happen: the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from meteor_net.state import (
    Angle,
    Choice,
    Data,
    Field,
    Fixed,
    Flag,
    Int,
    Quaternion,
    Schema,
    Step,
    Stream,
    Table,
    TableFull,
    Text,
    UInt,
    World,
)

#: Both codings of the wire (clause 8.3): what a client reads that announced `eg`.
BOTH = 1
TICKS = 24


def random_field(random: Random) -> Field[Any, Any]:
    """Make any field that travels."""
    steps = random.choice([1, 2, 3, 4, 200, 2**16, 2**31 - 1])
    step = random.choice([1, 1 / 16, 2.5])
    low = random.randint(-50, 50) * step
    made: list[Field[Any, Any]] = [
        Fixed(step, low, low + steps * step, wrap=random.random() < 0.5),
        Angle(random.choice([1, 2, 10, 31])),
        UInt(random.choice([1, 2, 7, 31])),
        Int(random.choice([2, 9, 32])),
        Flag(),
        Choice(*"abcde"[: random.randint(1, 5)]),
        Quaternion(random.choice([2, 9, 15])),
        Quaternion(random.choice([2, 9, 15])),
        Text(9),
        Data(9),
    ]
    return random.choice(made)


def random_schema(random: Random) -> Schema:
    """One to three tables of up to six fields."""
    tables = []
    for number in range(random.randint(1, 3)):
        fields = {f"f{n}": random_field(random) for n in range(random.randint(0, 6))}
        tables.append(type(f"T{number}", (Table,), {**fields, "max_rows": random.choice([5, 40, 300])}))
    return Schema(tables)


def random_value(random: Random, field: Field[Any, Any]) -> Any:
    """Make a value that may be assigned to a field."""
    if isinstance(field, Quaternion):
        return tuple(random.gauss(0, 1) for _ in range(4))
    if isinstance(field, Flag):
        return random.random() < 0.5
    if isinstance(field, Choice):
        return random.choice(field.choices)
    if isinstance(field, Text):
        return "".join(random.choice("aß🍾") for _ in range(random.randint(0, 9)))
    if isinstance(field, Data):
        return random.randbytes(random.randint(0, 9))
    if isinstance(field, UInt | Int):
        return random.choice([random.randint(-9, 9), random.randint(-(2**31), 2**31)])
    return random.choice([random.uniform(-200, 200), random.uniform(-1e10, 1e10)])


def happen(random: Random, world: World) -> None:
    """Let something happen to a random table: rows come, go or change, or columns move."""
    table = random.choice(world.tables)
    rows = list(table)
    fields = table.layout().wire
    kind = random.choice(["spawn", "despawn", "change", "move", "move"])
    if kind == "spawn" or not rows:
        for _ in range(random.choice([1, 1, 20])):
            try:
                table.spawn(**{field.name: random_value(random, field) for field in fields if random.random() < 0.7})
            except TableFull:
                break
    elif kind == "despawn":
        for row in random.sample(rows, random.choice([1, len(rows) // 3])):
            row.despawn()
    elif fields and kind == "change":
        for row in random.sample(rows, random.choice([1, (len(rows) + 2) // 3])):
            field = random.choice(fields)
            setattr(row, field.name, random_value(random, field))
    else:
        move(random, table)


def move(random: Random, table: Table) -> None:
    """Let all rows move, as things do: those that moved before go on."""
    for field in table.layout().wire:
        column = getattr(table, field.name)
        if isinstance(field, Fixed):
            column += random.choice([1, 2]) * field.step
        elif isinstance(field, Quaternion):
            column[:, random.randint(0, 3)] += 0.3


class Client:
    """The steps that one client was given, and what they led to."""

    def __init__(self, schema: Schema, random: Random) -> None:
        self.frames: list[tuple[Step, int]] = []
        self._schema = schema
        self._random = random
        self._held: int | None = None

    def serve(self, stream: Stream) -> None:
        """Give the step to the newest version: a follower's mostly, or a late one's, in either coding."""
        newest = stream.version
        if self._held == newest.number or self._random.random() < 0.25:
            return
        coding = BOTH if self._random.random() < 0.85 else 0
        if coding == BOTH and self.frames and self._lost():
            self._held = None
        self.give(stream, coding)

    def give(self, stream: Stream, coding: int) -> None:
        """Give the step from what is held to the newest version."""
        step = stream.step(self._held, coding)
        self._held = stream.version.number
        self.frames.append((step, stream.version.crc()))

    def _lost(self) -> bool:
        """Tell whether a keyframe is asked for: where the version before is not held, and now and then."""
        back, coding = divmod(self.frames[-1][0].base_code, 8)
        return (coding == 0 and back != 1) or self._random.random() < 0.1


def histories(seed: int) -> Iterator[tuple[World, Client]]:
    """Let worlds go on for ever, each with a client."""
    random = Random(seed)
    while True:
        world = World(random_schema(random), 1)
        stream = Stream(world)
        client = Client(world.schema, random)
        for tick in range(1, TICKS):
            for _ in range(random.randint(0, 3)):
                happen(random, world)
            if stream.commit(tick, check=random.random() < 0.2):
                client.serve(stream)
        yield world, client


def every_base(seed: int, versions: int = 9) -> Iterator[tuple[World, Client]]:
    """Let one world go on; each client joins at another version, comes back at the last, and follows from there."""
    random = Random(seed)
    world = World(random_schema(random), 1)
    stream = Stream(world)
    clients: list[Client] = []
    tick = 0
    while stream.version.number < versions + 3:
        tick += 1
        happen(random, world)
        if not stream.commit(tick, check=random.random() < 0.2):
            continue
        joining = stream.version.number < versions
        if joining:
            clients.append(Client(world.schema, random))
        for client in clients[-1:] if joining else clients:
            client.give(stream, BOTH)
    return ((world, client) for client in clients)
