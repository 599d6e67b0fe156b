"""Random schemas, and random things that happen in their worlds."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from meteor_net.state import (
    Angle,
    Choice,
    Data,
    Field,
    Fixed,
    Flag,
    Int,
    Local,
    Quaternion,
    Schema,
    Table,
    TableFull,
    Text,
    UInt,
    World,
)

#: Few rows, so that slots are used again soon.
MAX_ROWS = 9

numbers = st.one_of(
    st.floats(-200, 200), st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e300, -1e20, 2.0**31, -(2.0**31)])
)
wholes = st.one_of(st.integers(-20, 20), st.integers(-(2**33), 2**33))
texts = st.text(max_size=6)


@st.composite
def fixed(draw: st.DrawFn) -> Field[Any, Any]:
    """Any domain of whole steps, with wrap or without."""
    step = draw(st.sampled_from([1, 1 / 16, 0.1, 2.5]))
    low = draw(st.integers(-50, 50)) * step
    span = draw(st.one_of(st.integers(1, 200), st.sampled_from([2**16, 2**31 - 1])))
    return Fixed(step, low, low + span * step, wrap=draw(st.booleans()))


@st.composite
def choice(draw: st.DrawFn) -> Field[Any, Any]:
    """One to four words."""
    return Choice(*draw(st.lists(st.text("abcß", min_size=1, max_size=3), min_size=1, max_size=4, unique=True)))


fields: st.SearchStrategy[Field[Any, Any]] = st.one_of(
    fixed(),
    st.builds(Angle, st.integers(1, 31)),
    st.builds(UInt, st.integers(1, 31)),
    st.builds(Int, st.integers(2, 32)),
    st.builds(Flag),
    choice(),
    st.builds(Quaternion, st.sampled_from([2, 3, 9, 15])),
    st.builds(Text, st.integers(1, 5)),
    st.builds(Data, st.integers(1, 5)),
    st.builds(Local, st.sampled_from([float, object])),
)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """One to three tables of up to five fields."""
    tables = []
    for number in range(draw(st.integers(1, 3))):
        columns = draw(st.lists(fields, max_size=5))
        named = {f"f{n}": field for n, field in enumerate(columns)}
        tables.append(type(f"T{number}", (Table,), {**named, "max_rows": MAX_ROWS}))
    return Schema(tables)


def value_for(draw: Any, field: Field[Any, Any]) -> Any:
    """Draw a value that may be assigned to a field."""
    if isinstance(field, Flag):
        return draw(st.booleans())
    if isinstance(field, Choice):
        return draw(st.sampled_from(field.choices))
    if isinstance(field, Text):
        return draw(texts)
    if isinstance(field, Data):
        return draw(st.binary(max_size=6))
    if isinstance(field, Quaternion):
        return draw(st.tuples(numbers, numbers, numbers, numbers))
    if isinstance(field, UInt | Int):
        return draw(wholes)
    return draw(numbers)


def happen(draw: Any, world: World) -> None:
    """Let one thing happen to a random table: a row comes, goes or changes, or a column moves."""
    table = draw(st.sampled_from(world.tables))
    kind = draw(st.sampled_from(["spawn", "spawn", "despawn", "change", "change", "move"]))
    rows = list(table)
    columns = table.layout().fields
    if kind == "spawn":
        given = {field.name: value_for(draw, field) for field in columns if draw(st.booleans())}
        try:
            table.spawn(**given)
        except TableFull:
            assert len(rows) == MAX_ROWS
    elif rows and kind == "despawn":
        draw(st.sampled_from(rows)).despawn()
    elif rows and columns and kind == "change":
        field = draw(st.sampled_from(columns))
        setattr(draw(st.sampled_from(rows)), field.name, value_for(draw, field))
    else:
        for field in table.layout().wire:
            column = getattr(table, field.name)
            if isinstance(field, Fixed | Angle):
                column += 1.25
            elif isinstance(field, Quaternion):
                column[:, draw(st.integers(0, 3))] += 0.4
