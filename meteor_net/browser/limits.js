// Every limit of the browser client in one place: the unit is in the name, the reason beside it.

/** Bytes of one packet from a server (wire 1.3). */
export const PACKET_OUT_BYTES = 4 * 1024 * 1024;
/** Bytes of one packet to a server (wire 1.3), until WELCOME tells. */
export const PACKET_IN_BYTES = 16 * 1024;
/** Messages in one packet (wire 2.1). */
export const PACKET_MESSAGES = 256;
/** Nesting of a packet (wire 2.2). */
export const MAX_DEPTH = 12;
/** CBOR items in one packet, so that 4 MiB cannot become 4 million objects; a keyframe of 16,384 rows with six text columns fits. */
export const PACKET_ITEMS = 200_000;
/** Rows of one table (wire 8.1). */
export const MAX_ROWS = 16_384;
/** Tables of a schema, and integer columns of a table: their bits, with one more, are a number of 32 bits (wire 8.5). */
export const MAX_TABLES = 31;
export const MAX_COLUMNS = 31;
/** Fields of a table, an action or an event. */
export const MAX_FIELDS = 64;
/** Documents of a world, bytes of one as CBOR, and its nesting (wire 8.25). */
export const MAX_DOCUMENTS = 16;
export const MAX_DOCUMENT_BYTES = 64 * 1024;
export const MAX_DOCUMENT_DEPTH = 12;
/** CBOR items, and nesting, of a frame's patches (wire 8.28). */
export const MAX_PATCH_ITEMS = 1_048_576;
export const MAX_PATCH_DEPTH = 26;
/** Actions, and events, in a schema. */
export const MAX_KINDS = 256;
/** Characters of any name in a schema. */
export const MAX_NAME_CHARS = 64;
/** Choices of one field. */
export const MAX_CHOICES = 256;
/** Characters of a text field. */
export const MAX_TEXT_CHARS = 8_192;
/** Bytes of a data field. */
export const MAX_DATA_BYTES = 8_192;
/** Characters of a field's unit (wire 7.6). */
export const MAX_UNIT_CHARS = 32;
/** Versions that wait to be shown; at 20 Hz 1.6 s, far more than any useful delay. */
export const SNAPSHOTS = 32;
/** Arrivals from which the delay is tuned: some 3 s at 20 Hz. */
export const ARRIVALS = 64;
/** The part of the frames that come in time: for the latest few, the world is carried on instead. */
export const USUAL = 0.95;
/** How slow and how fast the film may run while the delay is tuned: nobody sees that. */
export const SLOWEST = 0.96;
export const FASTEST = 1.02;
/** The most that jitter may add to the delay: beyond it, a stutter is better than a lag. */
export const JITTER_MS = 300;
/** A difference of the shown time that is jumped, not slid. */
export const JUMP_MS = 500;
/** HELD is sent so often while frames come (wire 8.10). */
export const HELD_MS = 500;
/** Our own pings, from which round trip and clock come: the first few in a quicker rhythm, so that the clock is right soon. */
export const PING_MS = 2_000;
export const FIRST_PING_MS = 500;
export const FIRST_PINGS = 4;
/** A joined room without a first frame counts as ready after so long. */
export const READY_MS = 2_000;
/** Round trips that are remembered; the smallest sets the clock (wire 5.3). */
export const ROUND_TRIPS = 8;
/** Silence after which the connection is dead (wire 5.2). */
export const SILENT_MS = 45_000;
/** A timer that comes so late was held back by the browser: its silence proves nothing. */
export const LATE_TIMER_MS = 5_000;
/** How often timers look after the connection. */
export const POLL_MS = 500;
/** A socket may take so long to open, ... */
export const OPEN_MS = 8_000;
/** ... WELCOME to come after HELLO, ... */
export const GREET_MS = 8_000;
/** ... a room to answer JOIN, ... */
export const JOIN_MS = 15_000;
/** ... and the server to answer when a page is shown again: a machine that slept has connections that are dead. */
export const ANSWER_MS = 5_000;
/** Actions that were sent and have no answer: of so many a server keeps the answers (wire 9.5). */
export const ACTIONS_OPEN = 64;
/** Actions that wait for an answer, those included that wait to be sent; more are refused. */
export const ACTIONS_WAITING = 256;
/** Lines that wait for an answer; more are refused. */
export const LINES_WAITING = 64;
/** Lines that are kept for the page, and live lines that may wait for the history. */
export const LINES_KEPT = 1_000;
/** Lines that are kept for a page that asks for earlier ones. */
export const LINES_PAGED = 4_000;
/** Lines of one page of earlier ones (wire 10.7). */
export const PAGE_LINES = 50;
/** A line that was said so long ago is not said again: the server may have forgotten that it has it. */
export const LINE_LIFE_MS = 24 * 60 * 60 * 1000;
/** A line that may be kept or not is said again after so long, and so often; then it is told as `unknown`. */
export const AGAIN_MS = Object.freeze([2_000, 4_000, 8_000]);
/** A line that waited for its connection, and comes too fast for the server then, is said again so often, and after so long at the least. */
export const SLOW_TRIES = 8;
export const SLOW_MS = 500;
/** Bytes of a line's text (wire 10.9). */
export const LINE_BYTES = 8 * 1024;
/** Bytes of the data of a game's own line, encoded, and their nesting (wire 10.2). */
export const LINE_DATA_BYTES = 4 * 1024;
export const LINE_DATA_DEPTH = 8;
/** Lines of tabs that are gone are forgotten after so long. */
export const LOST_LINES_MS = 7 * 24 * 60 * 60 * 1000;
/** A tab's name is given up so soon after a reload; one that is not, is held by the tab that this one is a copy of. */
export const TAB_FREE_MS = 1_000;
/** Characters of one line, until WELCOME tells. */
export const LINE_CHARS = 1_000;
/** Bytes that may wait in the browser's socket before inputs are dropped. */
export const UNSENT_BYTES = 64 * 1024;
/** Keyframes in a row that cannot be read before we give up. */
export const BAD_KEYFRAMES = 3;
/** Addresses of a server. */
export const MAX_URLS = 16;
/** Tries in a row in which a WebSocket got nowhere; then HTTP is tried. */
export const TRIES_BEFORE_HTTP = 2;
/** While on HTTP a WebSocket is tried so often: soon for the first time, for a server that was down looked as if it was blocked. */
export const SIDE_TRY_MS = Object.freeze([2_000, 60_000, 120_000, 240_000, 480_000, 600_000]);
/** While nothing comes, though something should, another connection is tried beside it so often. */
export const BESIDE_MS = Object.freeze([4_000, 2_000]);
/** A room that has no time for a JOIN is asked again after so long, and so often. */
export const JOIN_AGAIN_MS = Object.freeze([1_000, 2_000, 4_000, 8_000, 8_000]);
/** A connection that lasted so long after WELCOME was good: the next try is quick again. */
export const SETTLED_MS = 5_000;
/** Inputs that are predicted and not known to be taken; from the oldest on they are forgotten: at 20 Hz 3 s. */
export const INPUTS_KEPT = 64;
/** A correction of what is predicted becomes less by a factor of e in so long, unless the page says otherwise. */
export const SMOOTH_MS = 100;
/** Over HTTP (wire 11): the first bytes of a stream may take so long; a request up so long, then it is sent once more; a close so long. */
export const STREAM_MS = 3_000;
export const UP_MS = 20_000;
export const HTTP_CLOSE_MS = 5_000;
/** Packets, and bytes, of one request up; and of one that a page may leave behind when it is closed (the Fetch standard has 64 KiB for all). */
export const UP_PACKETS = 256;
export const UP_BYTES = 64 * 1024;
export const LEFT_BEHIND_BYTES = 32 * 1024;
/** Bytes that may wait for requests up; with more, the connection is lost. */
export const HTTP_WAITING_BYTES = 1024 * 1024;
