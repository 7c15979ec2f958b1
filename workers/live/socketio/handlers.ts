import type { HandshakeRequest } from "./handshake-request.ts";
import type { Ack, DisconnectReason, Socket } from "./socket.ts";

/** Thrown by `connect`: the client gets a CONNECT_ERROR with this message and data (`connect_error` on its side). */
export class ConnectRefused extends Error {
  readonly data: unknown;

  constructor(message: string, data?: unknown) {
    super(message);
    this.name = "ConnectRefused";
    this.data = data;
  }
}

/**
 * Thrown by `connect`: not now. The connection is closed as if it were lost, so that the client comes back by itself; one
 * that gets a connect error stays away for good.
 */
export class ConnectLater extends Error {
  constructor() {
    super("the client is to connect again");
    this.name = "ConnectLater";
  }
}

/**
 * Thrown by `connect` or `resume` of a recovered socket: the client cannot go on as what it was, and begins anew, in no room
 * and with no past; its `recovered` is false.
 */
export class RecoveryDeclined extends Error {
  constructor() {
    super("cannot go on as the socket that it names");
    this.name = "RecoveryDeclined";
  }
}

/**
 * What the application does. Nothing thrown here leaves the engine: it is told to `onError`, and the client goes on.
 * Events of one socket run one after another: the next waits for the promise that a handler returns. What should not
 * hold up the socket's next event goes to `state.waitUntil` instead. `connect` comes before every event.
 */
export interface Handlers<Data = unknown> {
  /**
   * A client wants in. Refuse it by throwing ConnectRefused (any other error is answered "Internal error"), send it away
   * for a moment by throwing ConnectLater. Also called for a recovered socket, with rooms and data as they were, so that a
   * revoked token does not come back in; called once more, for a new socket, where it throws RecoveryDeclined.
   */
  connect?(socket: Socket<Data>, auth: Record<string, unknown>): Promise<void> | void;
  /**
   * Who a client proves to be that names a pid; null when it proves nothing, and is to begin anew. It goes to `owns`, of
   * this object or of the one that has the socket, before anything of the socket is touched. Without it: anybody.
   */
  identify?(
    request: HandshakeRequest,
    auth: Record<string, unknown>,
  ): Promise<string | null> | string | null;
  /** Whether a socket with this data may go on with somebody who proved to be `who`. Without it: always. */
  owns?(data: Readonly<Data> | null, who: string): boolean;
  /** With `takeover`: a lost socket goes to another object, for good; answers what it takes along of rooms and data. */
  moving?(socket: Socket<Data>, to: string): { rooms: Iterable<string>; data: Data | null };
  /** With `takeover`: a lost socket came, as `moving` gave it; from now on what is sent to its rooms is kept for it. */
  moved?(socket: Socket<Data>): void;
  /**
   * A lost socket is about to go on, after `connect`: when this is done, all that was sent to it and to its rooms has come
   * to this object. The rooms that it joins here, and what is sent to it, go along. It throws RecoveryDeclined where a part
   * of the gap is missing. Once this was called, `disconnect` is too, also where the client is gone before it is connected.
   */
  resume?(socket: Socket<Data>): Promise<void>;
  /** After the CONNECT packet, and what was missed, went out. */
  connected?(socket: Socket<Data>): Promise<void> | void;
  /** An event of the client. `ack` is null when it asked for no acknowledgement. */
  event?(
    socket: Socket<Data>,
    name: string,
    args: unknown[],
    ack: Ack | null,
  ): Promise<void> | void;
  /**
   * The socket is gone (its rooms and data can still be read); once for each that `resume` or `connected` was called for.
   * After a loss that can be recovered the same id may connect again with `recovered`. A socket that a crash or deploy
   * took is told of at the next alarm or question for who is away ("transport close", its `request` empty).
   */
  disconnect?(socket: Socket<Data>, reason: DisconnectReason): Promise<void> | void;
  /** A lost socket can be recovered no more; told when somebody is connected. */
  expired?(socket: Socket<Data>): Promise<void> | void;
  /** With recovery: nothing is left to be written. What the application writes now is in storage together with the rest. */
  written?(): void;
  /** The time that `wakeAt` was given has come. The alarm waits for it, for a quarter of the ping time-out at most. */
  wake?(): Promise<void> | void;
}
