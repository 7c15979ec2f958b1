import type { HandshakeRequest } from "./handshake-request.ts";
import type { EmitOptions, PreparedEvent } from "./packets.ts";
import type { Part } from "./together.ts";

/** Why a socket is gone; the official server's words, and two of ours at the end. */
export type DisconnectReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "client namespace disconnect"
  | "server namespace disconnect"
  | "forced close"
  | "slow consumer"
  | "flood";

/**
 * One client in one namespace. Its state (rooms, data) lives in the WebSocket's attachment or, for polling, in the
 * object's storage, so a `Socket` that you hold is valid until the object is evicted: keep `id`, not the object.
 */
export interface Socket<Data = unknown> {
  /** Public: other clients may see it. Survives a recovery. */
  readonly id: string;
  /** The secret by which its client comes back as it. */
  readonly pid: string;
  /** The Engine.IO session, a secret of this client; its shard is `shardOf(sessionId)`. */
  readonly sessionId: string;
  readonly namespace: string;
  /** The request that opened the session. */
  readonly request: HandshakeRequest;
  /** True when this connection goes on from an earlier one (same id, rooms and data; missed packets replayed). */
  readonly recovered: boolean;
  readonly connected: boolean;
  /** Rooms joined; its own room, named by `id`, is not among them. */
  readonly rooms: ReadonlySet<string>;
  /**
   * What you know of this socket: a small JSON value (null at first). Assigning persists it; changing it in place does
   * not. All that a connection keeps (request, rooms, data) must fit 12,000 characters, or the assignment throws.
   */
  get data(): Readonly<Data> | null;
  set data(value: Data | null);
  /** Sends an event to this client. Arguments may hold ArrayBuffers and typed arrays anywhere. */
  emit(name: string, ...args: unknown[]): void;
  /** Sends an event prepared once for many (`prepareEvent`). */
  send(event: PreparedEvent, options?: Pick<EmitOptions, "volatile">): void;
  /** Answers an event that asked for an acknowledgement, by its id (`Ack.id`): also later, and after an eviction. */
  acknowledge(ackId: number, ...args: unknown[]): void;
  /**
   * Sends an event and resolves with the arguments of the client's acknowledgement. Rejects after `timeoutMs` (5,000) or
   * when the client goes. The wait lives in memory: an answer that comes after an eviction is dropped silently, as its
   * asker is gone too; ids start at random in each life of the object, so it cannot reach another asker.
   */
  emitWithAck(name: string, args: unknown[], options?: { timeoutMs?: number }): Promise<unknown[]>;
  join(room: string): void;
  leave(room: string): void;
  /** Sends a DISCONNECT packet; with `close` the whole connection is closed too. */
  disconnect(close?: boolean): void;
}

/** Sends the client's acknowledgement; only the first call does. `id` is for `Socket.acknowledge`. */
export interface Ack {
  (...args: unknown[]): void;
  readonly id: number;
}

/** Sends to a room: see `SocketIoEngine.to`. */
export interface Target {
  /** Sends an event to every socket of the room in this object, encoded once; answers how many there are. */
  emit(name: string, args: unknown[], options?: EmitOptions): number;
  /** The same with an event that is encoded already, here or in another object. */
  send(event: PreparedEvent, options?: EmitOptions): number;
  /**
   * Sends several events as one packet: an event `name` with the list of them, to each socket without those that it does
   * not get. They are kept for replay one by one, each as a list of its own; none has attachments.
   */
  sendTogether(name: string, parts: readonly Part[]): number;
}
