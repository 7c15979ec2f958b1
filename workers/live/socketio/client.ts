import { Decoder, type Packet, PacketType } from "socket.io-parser";
import { z } from "zod";
import { HandshakeRequest } from "./handshake-request.ts";
import type { Connection, LiveSocket } from "./live-socket.ts";
import type { FloodOptions } from "./options.ts";
import { prepareEvent } from "./packets.ts";
import type { Session } from "./session.ts";
import type { DisconnectReason } from "./socket.ts";
import { SocketState } from "./socket-state.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What a connection keeps in its attachment or row. */
export const ClientState = z.object({
  request: HandshakeRequest,
  hasJoined: z.boolean(),
  sockets: z.array(SocketState),
});
export type ClientState = z.infer<typeof ClientState>;

/** What a client's connection needs of the server. */
export interface ClientHost<Data> {
  flood: FloodOptions | null;
  /** A packet with attachments must be whole within this time. */
  attachmentTimeoutMs: number;
  now(): number;
  connect(client: Client<Data>, namespace: string, auth: Record<string, unknown>): Promise<void>;
  event(socket: LiveSocket<Data>, packet: Packet): Promise<void> | boolean;
  close(client: Client<Data>, reason: DisconnectReason): Promise<void>;
}

const DISCONNECT_AFTER = 100;
const ERROR_EVERY_MS = 1_000;
/** The parser takes no packet with more. */
const MAX_ATTACHMENTS = 10;
const HAS_ATTACHMENTS = /^[56]([0-9]{1,4})-/;

/** One connection of the Socket.IO layer: takes packets apart and hands them to the sockets of its namespaces. */
export class Client<Data> implements Connection<Data> {
  readonly session: Session<Client<Data>>;
  readonly request: HandshakeRequest;
  /** True once it was in a namespace; until then it must join one in time. */
  hasJoined: boolean;
  readonly sockets = new Map<string, LiveSocket<Data>>();
  /** Namespaces that it asked to join and is not admitted to yet. */
  readonly joining = new Set<string>();
  readonly #host: ClientHost<Data>;
  /** Only while attachments of a packet are missing: a connection that says nothing needs none. */
  #decoder: Decoder | null = null;
  readonly #bucket: TokenBucket | null;
  #work: Promise<void> | boolean | undefined;
  #refused = 0;
  #errorAt = 0;
  /** Attachments of a refused packet that are still to come. */
  #skipped = 0;
  #patience: ReturnType<typeof setTimeout> | null = null;

  constructor(
    host: ClientHost<Data>,
    session: Session<Client<Data>>,
    facts: { request: HandshakeRequest; hasJoined: boolean },
  ) {
    this.#host = host;
    this.session = session;
    this.request = facts.request;
    this.hasJoined = facts.hasJoined;
    this.#bucket = host.flood ? new TokenBucket(host.flood, host.now()) : null;
  }

  /** Takes one Engine.IO message. What is malformed closes the connection. */
  async receive(data: string | ArrayBuffer): Promise<void> {
    if (this.#isSkipped(data)) return;
    this.#work = undefined;
    // The parser reads a packet without a type as a CONNECT.
    if (data === "") return await this.close("parse error");
    const decoder = this.#decoder ?? this.#newDecoder();
    try {
      decoder.add(data);
    } catch {
      return await this.close("parse error");
    }
    const isWhole =
      this.#work !== undefined || (typeof data === "string" && !HAS_ATTACHMENTS.test(data));
    this.#decoder = isWhole || !this.session.isOpen ? null : decoder;
    this.#awaitAttachments(isWhole);
    if ((await this.#work) === false) await this.close("flood");
  }

  /** Keeps what an eviction must not take: the connected sockets, and one that is about to be. */
  keep(joining: LiveSocket<Data> | null = null): void {
    const { request, hasJoined } = this;
    const kept = [...this.sockets.values()].filter(
      (socket) => socket.connected || socket === joining,
    );
    const state: ClientState = { request, hasJoined, sockets: kept.map((socket) => socket.state) };
    this.session.state = state;
  }

  release(socket: LiveSocket<Data>): void {
    if (this.sockets.get(socket.namespace) === socket) this.sockets.delete(socket.namespace);
  }

  close(reason: DisconnectReason): Promise<void> {
    return this.#host.close(this, reason);
  }

  /** The connection is gone: nothing of it stays in memory. */
  destroy(): void {
    this.#decoder?.off();
    this.#decoder?.destroy();
    this.#decoder = null;
    this.#stopPatience();
  }

  #newDecoder(): Decoder {
    const decoder = new Decoder();
    decoder.on("decoded", (packet: Packet) => {
      this.#work = this.#take(packet);
    });
    return decoder;
  }

  #take(packet: Packet): Promise<void> | boolean {
    const socket = this.sockets.get(packet.nsp);
    if (packet.type === PacketType.CONNECT) {
      if (socket || this.joining.has(packet.nsp)) return this.close("parse error");
      return this.#host.connect(this, packet.nsp, packet.data ?? {});
    }
    const isFit = socket?.connected && (packet.id ?? 0) <= Number.MAX_SAFE_INTEGER;
    if (!socket || !isFit) return this.close("parse error");
    switch (packet.type) {
      case PacketType.EVENT:
        return this.#host.event(socket, packet);
      case PacketType.ACK:
        socket.acknowledged(packet.id ?? -1, packet.data);
        return true;
      case PacketType.DISCONNECT:
        return socket.end("client namespace disconnect");
      default:
        return this.close("parse error");
    }
  }

  /** The limit is asked before anything is parsed. */
  #isSkipped(data: string | ArrayBuffer): boolean {
    if (typeof data !== "string") {
      if (this.#skipped === 0) return false;
      this.#skipped -= 1;
      return true;
    }
    if (this.mayGoOn()) return false;
    const attachments = Number(HAS_ATTACHMENTS.exec(data)?.[1] ?? 0);
    this.#skipped += Math.min(attachments, MAX_ATTACHMENTS);
    return true;
  }

  /** Counts a packet, of whatever kind: false when it is one too many. */
  mayGoOn(): boolean {
    const { flood, now } = this.#host;
    if (!flood || !this.#bucket) return true;
    if (this.#bucket.take(now())) {
      this.#refused = 0;
      return true;
    }
    this.#refused += 1;
    if (this.#refused >= (flood.disconnectAfter ?? DISCONNECT_AFTER)) void this.close("flood");
    else this.#sayTooMuch(flood);
    return false;
  }

  #sayTooMuch({
    error = { code: "rate_limited", message: "Too many messages" },
  }: FloodOptions): void {
    const now = this.#host.now();
    const [socket] = this.sockets.values();
    if (!error || !socket?.connected || now - this.#errorAt < ERROR_EVERY_MS) return;
    this.#errorAt = now;
    socket.send(prepareEvent("error", [error]), { volatile: true });
  }

  /** While attachments are missing a timer runs: it keeps the object, and with it the half packet, in memory. */
  #awaitAttachments(isWhole: boolean): void {
    if (isWhole) this.#stopPatience();
    else
      this.#patience ??= setTimeout(
        () => void this.close("parse error"),
        this.#host.attachmentTimeoutMs,
      );
  }

  #stopPatience(): void {
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#patience = null;
  }
}
