// What can go wrong, named as in errors.py:
//
//     MeteorError                   never thrown itself
//      +-- Refused                  the server or a handler says no; the session goes on
//      +-- ConnectionFailed         no connection
//      +-- MessageError             one message could not be dealt with; the session goes on
//      |    +-- FrameError          a frame that cannot be applied: a keyframe is needed
//      +-- ProtocolError
//           +-- LocalProtocolError  our caller's mistake; never sent
//           +-- RemoteProtocolError the server's mistake; carries the close code
//                +-- PacketError    bytes that are no packet

/** Why a connection ends (wire 4.5): 4000-4499 come back, 4500-4999 stay away. */
export const CloseCode = Object.freeze({
  NORMAL: 1000, GOING_AWAY: 1001, ABNORMAL: 1006,
  RESTARTING: 4000, TOO_SLOW: 4001, SILENT: 4002, HELLO_TIMEOUT: 4003,
  BAD_PACKET: 4500, WRONG_PHASE: 4501, WRONG_VERSION: 4502, NOT_ALLOWED: 4503,
  REPLACED: 4504, KICKED: 4505, FLOOD: 4506, ELSEWHERE: 4507,
});

const STANDARD_COME_BACK = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014]);

/**
 * Tell whether a client whose connection ended with `code` should connect again (wire 4.5).
 * @param {number} code
 * @returns {boolean}
 */
export function comeBack(code) {
  return (code >= 4000 && code <= 4499) || STANDARD_COME_BACK.has(code);
}

/** Above every error of this package; catch it, never throw it. */
export class MeteorError extends Error {
  /** @param {string} text */
  constructor(text) {
    super(text);
    this.name = new.target.name;
  }
}

/** The server or a handler says no: `reason` is a word, `text` is for people, `wait` the milliseconds until it is worth another try. */
export class Refused extends MeteorError {
  /**
   * @param {string} text
   * @param {string} [reason]
   * @param {number} [wait]
   */
  constructor(text, reason = "refused", wait = 0) {
    super(text || reason);
    this.text = text || reason;
    this.reason = reason;
    this.wait = wait;
  }
}

/** There is no connection; `code` is the close code. */
export class ConnectionFailed extends MeteorError {
  /**
   * @param {string} text
   * @param {number} [code]
   */
  constructor(text, code = CloseCode.ABNORMAL) {
    super(text);
    this.code = code;
  }
}

/** One message could not be dealt with; the session goes on. */
export class MessageError extends MeteorError {}

/** A frame cannot be applied, and nothing of it was (wire 8.8, 8.9). */
export class FrameError extends MessageError {}

/** A rule of the wire was broken. */
export class ProtocolError extends MeteorError {}

/** Our own caller broke it: nothing is sent. */
export class LocalProtocolError extends ProtocolError {}

/** The server broke it: the connection ends with `code`. */
export class RemoteProtocolError extends ProtocolError {
  /**
   * @param {string} text
   * @param {number} [code]
   */
  constructor(text, code = CloseCode.WRONG_PHASE) {
    super(text);
    this.code = code;
  }
}

/** Bytes that are no packet (wire 2, 3). */
export class PacketError extends RemoteProtocolError {
  /** @param {string} text */
  constructor(text) {
    super(text, CloseCode.BAD_PACKET);
  }
}
