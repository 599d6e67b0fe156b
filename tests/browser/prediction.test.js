// Prediction: what the vectors say in both languages; and the client with it, against a server in memory.

import { step } from "/drift/flight.js";
import { NetworkClient } from "/meteor-net/client.js";
import { LocalProtocolError } from "/meteor-net/errors.js";
import { Prediction } from "/meteor-net/prediction.js";
import { Replica } from "/meteor-net/replica.js";
import { Schema } from "/meteor-net/schema.js";
import { interpolate } from "/meteor-net/state.js";
import { cosInt, sinInt } from "/meteor-net/trig.js";
import { FakeServer, KEYFRAME } from "/tests/fake.js";
import { equal, ok, test, throws, toWire, unhex, vectors } from "/tests/harness.js";

const FILE = "prediction.json";
/** What is 0 again, of x, y, heading, vx and thrust. */
const ROUND = [2048, 2048, 2 * Math.PI, Infinity, Infinity];

test("sine and cosine are the integers that Python has", async () => {
  const { trig } = await vectors(FILE);
  for (const [angle, bits, sine, cosine] of trig) equal([sinInt(angle, bits), cosInt(angle, bits)], [sine, cosine], `${angle} of ${bits} bits`);
  for (let angle = -5000; angle < 5000; angle++) {
    const true_ = [Math.sin, Math.cos].map((wave) => 16384 * wave((2 * Math.PI * angle) / 4096));
    ok(Math.abs(sinInt(angle, 12) - true_[0]) <= 1 && Math.abs(cosInt(angle, 12) - true_[1]) <= 1, `${angle}`);
  }
});

test("the demo's craft flies as it does in Python, to the last bit", async () => {
  const { flight } = await vectors(FILE);
  const s = { ...flight.start };
  flight.inputs.forEach(([turn, thrust], n) => {
    step(s, { turn, thrust });
    equal(flight.names.map((name) => s[name]), flight.states[n], `after ${n + 1} ticks`);
  });
  equal(flight.states.length, 1000);
});

test("what is predicted and drawn when is what the vectors say", async () => {
  const { stories } = await vectors(FILE);
  ok(stories.length > 5);
  for (const { about, schema, tick_ms: tickMs, smooth_ms: smoothMs, snap, happens } of stories) {
    const parsed = Schema.parse(toWire(schema));
    const world = { replica: new Replica(parsed, 1, 0), rows: [] };
    const begin = () => new Prediction(world, tickMs, { smoothMs, snap: snap ?? Infinity });
    let prediction = begin();
    let seq = 0;
    happens.forEach(([kind, ...told], n) => {
      const where = `${about}, number ${n}`;
      if (kind === "joined") prediction = begin();
      else if (kind === "own") world.rows = told[0];
      else if (kind === "frame") world.replica.apply(told[0], told[1], unhex(told[2]), []);
      else if (kind === "ack") prediction.acked(told[0], told[1]);
      else if (kind === "refused") prediction.refused(told[0]);
      else if (kind === "act") {
        const [now, values, sent] = told;
        let number = 0;
        prediction.act(parsed.actionsByName.get("Steer"), values, step, now, () => (number = ++seq));
        equal(number, sent, where);
      } else {
        const [now, wanted] = told;
        const { version } = world.replica;
        const shown = interpolate(version, version, 1);
        equal(prediction.draw(shown, now), wanted !== null, where);
        if (wanted === null) return;
        const { x, y, heading, vx, thrust } = shown.craft.get(world.rows[0][1]);
        [x, y, heading, vx, Number(thrust)].forEach((value, i) => {
          const off = Math.abs(value - wanted[i]);
          ok(Math.min(off, Math.abs(off - ROUND[i])) < 1e-6, `${where}: ${value} is not ${wanted[i]}`);
        });
      }
    });
  }
});

/** A step for the ship of the fake server: thrust takes it 8 to the right. */
const sail = (s, i) => { s.x += 8 * i.thrust; };

/** A client that is in, and one frame further, with `step` for Steer. */
async function sailing(steer = sail) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  client.predict("Steer", steer); // before there is a schema: kept for then
  await server.letIn();
  await joined;
  server.take();
  return { server, client, x: () => Math.round(100 * client.show().ship.get(0).x) / 100 };
}

test("what is done is drawn at once, sent once a tick, and stays when the server has it", async () => {
  const { server, client, x } = await sailing();
  equal(x(), 10);
  client.act("Steer", { thrust: false });
  for (let n = 0; n < 12; n++) {
    await server.advance(50 / 3);
    client.act("Steer", { thrust: true });
    ok(x() > 10 || n === 0, `${n}`);
  }
  const sent = server.take("ACTION");
  ok(sent.length === 5 || sent.length === 6, `${sent.length} inputs in 200 ms`);
  equal(client.world.ship.get(0).x, 10); // the server's word is another thing
  const before = x();
  ok(before > 10 + 8 * 3, `${before}`);
  const [last] = sent.slice(-1);
  await server.say({ type: "ACK", room: 1, seq: last.seq, tick: 24 });
  equal(x(), before); // told before the frame: nothing is forgotten yet
  const steps = sent.filter(({ values }) => values[0] === 1).length;
  await server.frame(24, Uint8Array.of(2, 2, 2, 16 * steps));
  equal(client.world.ship.get(0).x, 10 + 8 * steps);
  equal(x(), before);
});

test("the picture moves evenly, whatever the rhythm in which the controls are told", async () => {
  for (const hz of [30, 60, 75, 144]) {
    const { server, client } = await sailing();
    const drawn = [];
    for (let n = 0; n < 1.5 * hz; n++) {
      server.now += 1000 / hz;
      client.act("Steer", { thrust: true });
      drawn.push(client.show().ship.get(0).x);
    }
    const speeds = drawn.slice(hz).map((x, n) => (x - drawn[hz + n - 1]) * hz);
    for (const speed of speeds) ok(Math.abs(speed - 8 * 20) < 1, `at ${hz} Hz: ${speed}`);
  }
});

test("what the server sees otherwise is put right little by little", async () => {
  const { server, client, x } = await sailing();
  client.act("Steer", { thrust: false });
  await server.advance(60);
  await server.frame(21, Uint8Array.of(2, 2, 2, 100)); // a push by 50
  equal(x(), 10);
  const drawn = [];
  for (let n = 0; n < 40; n++) {
    await server.advance(50 / 3);
    drawn.push(x());
  }
  drawn.forEach((place, n) => ok(place > (drawn[n - 1] ?? 10) - 0.01 && place - (drawn[n - 1] ?? 10) < 9, `${drawn}`));
  ok(Math.abs(drawn.at(-1) - 60) < 0.2, `${drawn.at(-1)}`);
});

test("a page may have corrections at once", async () => {
  const { server, client, x } = await sailing();
  client.predict("Steer", sail, { smoothMs: 0 });
  client.act("Steer", { thrust: false });
  x();
  await server.frame(21, Uint8Array.of(2, 2, 2, 100));
  equal(x(), 60);
});

test("without a connection nothing is sent or predicted; then it goes on from what the server says", async () => {
  const { server, client, x } = await sailing();
  client.act("Steer", { thrust: true });
  await server.drop();
  for (let n = 0; n < 10; n++) {
    await server.advance(20);
    client.act("Steer", { thrust: true });
  }
  await server.advance(5000);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null, lastSeq: 1 });
  await server.frame(60, KEYFRAME, 0, [[0, 3, [0], ["ann"]]]);
  server.take();
  equal(x(), 10);
  client.act("Steer", { thrust: true });
  equal(server.take("ACTION").length, 0); // it leaves with the next turn
  await server.advance(10);
  equal(server.take("ACTION").map(({ seq }) => seq), [2]);
});

test("an input that is refused is taken back; another row is not glided to", async () => {
  const { server, client, x } = await sailing();
  client.act("Steer", { thrust: false });
  await server.advance(50);
  client.act("Steer", { thrust: true });
  client.act("Steer", { thrust: false });
  await server.advance(1000);
  equal(x(), 18);
  const [, { seq }] = server.take("ACTION");
  await server.say({ type: "REFUSED", room: 1, seq, reason: "slow-down", text: "slower" });
  equal(x(), 18); // and glides from there
  await server.advance(1000);
  equal(x(), 10);
  await server.say({ type: "OWN", room: 1, rows: [] });
  client.act("Steer", { thrust: true });
  await server.advance(30);
  equal(x(), 10); // no row is ours: it is shown as all others are
});

test("a page learns of its mistakes", async () => {
  const { client } = await sailing();
  throws(LocalProtocolError, () => client.predict("Buy", sail)); // an action is answered, not predicted
  throws(LocalProtocolError, () => client.predict("Fly", sail));
  for (const wrong of [(s) => { s.speed = 1; }, (s) => { s.x = 0.5; }, (s) => { s.x = NaN; }, (s) => { s.x = "1"; }]) {
    client.predict("Steer", wrong);
    throws(TypeError, () => client.act("Steer"));
  }
  client.predict("Steer", (s) => { s.x -= 20; s.heading += 1000; }); // beyond the domain: round and round
  client.act("Steer");
  const { x, heading } = client.show().ship.get(0);
  ok(x > 900 && heading < 2 * Math.PI, `${x} ${heading}`);
});
