import { decode, encode } from "/meteor-net/codec.js";
import { LocalProtocolError, PacketError } from "/meteor-net/errors.js";
import { WholeFloat, plain } from "/meteor-net/floats.js";
import { equal, hex, mutate, ok, seeded, survives, test, throws, unhex } from "/tests/harness.js";

// RFC 8949, appendix A, as far as clause 2 of the wire goes.
const EXAMPLES = [
  [0, "00"], [1, "01"], [10, "0a"], [23, "17"], [24, "1818"], [25, "1819"], [100, "1864"], [1000, "1903e8"], [1000000, "1a000f4240"],
  [1000000000000, "1b000000e8d4a51000"], [-1, "20"], [-10, "29"], [-100, "3863"], [-1000, "3903e7"],
  [Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"], [Number.MIN_SAFE_INTEGER, "3b001ffffffffffffe"],
  [1.1, "fb3ff199999999999a"], [-4.1, "fbc010666666666666"], [1.0e300, "fb7e37e43c8800759c"],
  [false, "f4"], [true, "f5"], [null, "f6"], ["", "60"], ["a", "6161"], ["IETF", "6449455446"], ["\"\\", "62225c"], ["ü", "62c3bc"], ["水", "63e6b0b4"],
  ["𐅑", "64f0908591"], [new Uint8Array(), "40"], [unhex("01020304"), "4401020304"], [[], "80"], [[1, [2, 3], [4, 5]], "8301820203820405"],
  [new Map(), "a0"], [new Map([["a", 1], ["b", [2, 3]]]), "a26161016162820203"],
];

test("what RFC 8949 gives as examples is read and written", () => {
  for (const [value, bytes] of EXAMPLES) {
    equal(plain(decode(unhex(bytes))), value, bytes);
    equal(hex(encode(value)), bytes, bytes);
  }
});

test("shorter floats are read", () => {
  for (const [value, bytes] of [[1, "f93c00"], [1.5, "f93e00"], [65504, "f97bff"], [5.960464477539063e-8, "f90001"], [-4, "f9c400"], [100000, "fa47c35000"]]) {
    equal(plain(decode(unhex(bytes))), value, bytes);
  }
  ok(decode(unhex("f93c00")) instanceof WholeFloat, "1.0 is no integer");
  equal(plain(decode(unhex("82a16161f93c00f93c00"))), [new Map([["a", 1]]), 1]);
});

// Bytes, and the rule of clause 2 that each breaks.
const REFUSED = {
  "nothing at all": "", "bytes after the item": "0101", "an item cut off": "1a0000", "text cut off": "6261", "an array cut off": "8201",
  "a count that no packet could hold": "9b0000ffffffffffff", "bytes that no packet could hold": "5b001fffffffffffff",
  "a map that no packet could hold": "bb001fffffffffffff", "an integer of 2^53": "1b0020000000000000", "an integer of -2^53": "3b001fffffffffffff",
  "an integer of 2^64 - 1": "1bffffffffffffffff", "indefinite text": "7f6161ff", "indefinite bytes": "5f4101ff", "an indefinite array": "9fff",
  "an indefinite map": "bfff", "a break": "ff", "reserved lengths": "1c", "a tag": "c074323031332d30332d32315432303a30343a30305a",
  "a big number": "c249010000000000000000", "undefined": "f7", "another simple value": "f0", "a simple value of two bytes": "f8ff",
  "NaN of 16 bits": "f97e00", "infinity of 16 bits": "f97c00", "NaN of 32 bits": "fa7fc00000", "NaN of 64 bits": "fb7ff8000000000000",
  "minus infinity": "fbfff0000000000000", "a key that is a number": "a10102", "a key that is bytes": "a1410102", "a key twice": "a2616101616102",
  "text that is not UTF-8": "61ff", "text with half a pair": "63eda080", "nested 13 deep": "81818181818181818181818180",
};

test("what clause 2 leaves out is refused", () => {
  for (const [what, bytes] of Object.entries(REFUSED)) throws(PacketError, () => decode(unhex(bytes)), what);
});

test("nesting of 12 is read, and no deeper is written", () => {
  decode(unhex(`${"81".repeat(11)}80`));
  let deep = [];
  for (let i = 0; i < 11; i++) deep = [deep];
  encode(deep);
  throws(LocalProtocolError, () => encode([deep]));
});

test("items are counted", () => {
  throws(PacketError, () => decode(unhex(`83${"80".repeat(3)}`), { items: 3 }));
  decode(unhex(`83${"80".repeat(3)}`), { items: 4 });
});

test("keys that objects have are keys like others", () => {
  const value = new Map([["__proto__", new Map([["polluted", 1]])], ["constructor", 2], ["toString", 3]]);
  const read = decode(encode(value));
  equal(read, value);
  ok(!("polluted" in {}), "no prototype is touched");
});

test("what has no place on the wire is not written", () => {
  for (const value of [NaN, Infinity, undefined, () => 0, Symbol("a"), 1n, {}, new Date(), [undefined], new Map([[1, 2]])]) {
    throws(LocalProtocolError, () => encode(value), String(value?.constructor?.name));
  }
});

function randomValue(random, depth) {
  const below = (n) => Math.floor(random() * n);
  const text = () => Array.from({ length: below(30) }, () => "aé水𐅑_ "[below(6)] ?? "x").join("").toWellFormed?.() ?? "x";
  switch (below(depth > 0 ? 9 : 7)) {
    case 0: return below(2 ** 53) * (below(2) ? 1 : -1) || 0;
    case 1: return below(300);
    case 2: return random() * 1e9;
    case 3: return text();
    case 4: return Uint8Array.from({ length: below(300) }, () => below(256));
    case 5: return below(2) === 1;
    case 6: return null;
    case 7: return Array.from({ length: below(30) }, () => randomValue(random, depth - 1));
    default: return new Map(Array.from({ length: below(30) }, () => [text(), randomValue(random, depth - 1)]));
  }
}

test("any value comes back as it was", () => {
  const random = seeded(1);
  for (let i = 0; i < 500; i++) {
    const value = randomValue(random, 4);
    equal(plain(decode(encode(value))), value);
  }
});

test("any bytes are read, or refused by PacketError", () => {
  const random = seeded(2);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256));
    survives(PacketError, () => decode(bytes), hex(bytes));
  }
  for (let i = 0; i < 20_000; i++) {
    const bytes = mutate(encode(randomValue(random, 2)), random);
    survives(PacketError, () => decode(bytes), hex(bytes));
  }
});

test("a view into a larger buffer is read by its own bounds", () => {
  const bytes = unhex("ffff1903e8ffff").subarray(2, 5);
  equal(decode(bytes), 1000);
});
