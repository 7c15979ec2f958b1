import { z } from "zod";
import type { Frame } from "./packets.ts";
import type { PollingTransport } from "./polling.ts";
import { ROW_CHARS } from "./storage.ts";

/**
 * What a WebSocket's attachment says. `probe` and `probed` are of an upgrade that is not complete: the session still
 * polls. `at` is when the session, or the probe, began.
 */
export const Attachment = z.object({
  v: z.literal(1),
  sid: z.string(),
  role: z.enum(["main", "probe", "probed", "closed"]),
  at: z.number(),
  pongAt: z.number(),
  state: z.unknown(),
});
export type Attachment = z.infer<typeof Attachment>;

/** The runtime takes 16 KB; the rest is for what the engine itself keeps. */
const MAX_STATE_CHARS = 12_000;

/** What a session needs of its engine. */
export interface SessionHost {
  maxBufferedBytes: number;
  /** An unanswered ping of this age proves that a client does not take what is sent. */
  patienceMs: number;
  now(): number;
  /** When the runtime last answered a pong of this WebSocket. */
  pongOf(ws: WebSocket): number;
  savePolling(session: Session): void;
  drop(session: Session, reason: "slow consumer" | "transport close"): void;
}

/**
 * One Engine.IO session on either transport. `upper` is the live object of the layer above; `state` is what that layer
 * wants kept through evictions (JSON).
 */
export class Session<Upper = unknown> {
  readonly id: string;
  readonly openedAt: number;
  upper: Upper | null = null;
  ws: WebSocket | null = null;
  polling: PollingTransport | null = null;
  /** The WebSocket of an upgrade under way. */
  probe: WebSocket | null = null;
  isOpen = true;
  isPosting = false;
  /** When the client last showed, in this life of the object, that it is there. */
  seenAt = 0;
  /** The last pong that the object read itself. */
  pongAt: number;
  #state: unknown;
  readonly #host: SessionHost;
  #unanswered = 0;
  #askedAt: number | null = null;
  #beforeAsking = 0;

  constructor(
    host: SessionHost,
    facts: { id: string; openedAt: number; pongAt: number; state: unknown },
  ) {
    this.#host = host;
    this.id = facts.id;
    this.openedAt = facts.openedAt;
    this.pongAt = facts.pongAt;
    this.#state = facts.state;
  }

  get transport(): "polling" | "websocket" {
    return this.ws ? "websocket" : "polling";
  }

  get state(): unknown {
    return this.#state;
  }

  /** Throws, and changes nothing, when the state is too large to be kept. */
  set state(value: unknown) {
    const chars = JSON.stringify(value)?.length ?? 0;
    if (chars > MAX_STATE_CHARS) {
      throw new RangeError(`a connection keeps ${MAX_STATE_CHARS} characters, not ${chars}`);
    }
    const before = this.#state;
    this.#state = value;
    try {
      if (this.isOpen) this.save();
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  /** Writes what must survive an eviction. */
  save(): void {
    if (this.ws) this.ws.serializeAttachment(this.attachment("main"));
    else this.#host.savePolling(this);
  }

  attachment(role: Attachment["role"], at = this.openedAt): Attachment {
    const state = role === "main" ? this.#state : null;
    return { v: 1, sid: this.id, role, at, pongAt: this.pongAt, state };
  }

  /** Sends a frame. Never throws: a client that cannot be reached is closed by its own event or the next ping. */
  send(frame: Frame): void {
    if (!this.isOpen) return;
    const { ws } = this;
    if (!ws) {
      try {
        this.polling?.push(frame);
      } catch {
        // More than its row takes: its others must get what they are sent all the same.
        this.#host.drop(this, "slow consumer");
        return;
      }
      const isFull = (this.polling?.bufferedChars ?? 0) > this.#host.maxBufferedBytes;
      if (isFull) this.#host.drop(this, "slow consumer");
      return;
    }
    try {
      ws.send(frame);
    } catch {
      this.#host.drop(this, "transport close");
      return;
    }
    this.#unanswered += typeof frame === "string" ? frame.length : frame.byteLength;
    if (this.#unanswered > this.#host.maxBufferedBytes / 2) this.#watch(ws);
  }

  /** Whether so much more is no more than half of what may lie between us and the client. */
  hasRoomFor(bytes: number): boolean {
    const half = this.#host.maxBufferedBytes / 2;
    const { ws, polling } = this;
    if (!ws) return bytes <= ROW_CHARS && (polling?.bufferedChars ?? 0) + bytes <= half;
    if (this.#unanswered + bytes <= half) return true;
    if (this.#isAnswered(ws) && this.#unanswered + bytes <= half) return true;
    this.#ask(ws);
    return false;
  }

  /**
   * The runtime does not tell how much it holds for a client, but a pong proves that all before its ping arrived. At half
   * of the limit the client gets an extra ping; who passes the limit and has not answered that for long is dropped.
   */
  #watch(ws: WebSocket): void {
    const { maxBufferedBytes: limit, patienceMs } = this.#host;
    if (this.#askedAt === null) {
      this.#ask(ws);
      return;
    }
    const waitedMs = this.#host.now() - this.#askedAt;
    if (this.#unanswered < limit || this.#isAnswered(ws)) return;
    if (waitedMs > patienceMs || this.#unanswered > limit * 8) {
      this.#host.drop(this, "slow consumer");
    }
  }

  /** Pings out of turn, unless an answer to that is waited for. */
  #ask(ws: WebSocket): void {
    if (this.#askedAt !== null) return;
    try {
      ws.send("2");
    } catch {
      return;
    }
    this.#askedAt = this.#host.now();
    this.#beforeAsking = this.#unanswered;
  }

  /** Whether the client has answered that: all before it has arrived, and lies between us no more. */
  #isAnswered(ws: WebSocket): boolean {
    if (this.#askedAt === null) return false;
    if (Math.max(this.#host.pongOf(ws), this.pongAt) < this.#askedAt) return false;
    this.#unanswered -= this.#beforeAsking;
    this.#askedAt = null;
    return true;
  }
}
