import {
  type AgentFrame,
  CLOSE,
  type EdgeFrame,
  PING,
  PONG,
  readEdgeFrame,
} from "../../shared/agent-protocol/index.ts";
import type { AgentLog } from "../ctx.ts";
import { backoffMs, longPauseMs } from "./backoff.ts";

export const PING_EVERY_MS = 30_000;
export const PONG_WITHIN_MS = 15_000;

/** A socket to the edge, as `ws` or a test makes one. */
export interface LinkSocket {
  send(text: string): void;
  /** Ends it politely; `drop` without waiting for the other side. */
  close(code: number): void;
  drop(): void;
}

export interface SocketEvents {
  open(): void;
  message(text: string): void;
  /** Once, whatever the cause; `status` when the edge refused the connection over HTTP. */
  closed(why: { code: number; status?: number }): void;
}

export interface LinkDeps {
  connect(events: SocketEvents): LinkSocket;
  /** The frame that opens a connection. */
  hello(state: { displaced: boolean }): Promise<AgentFrame>;
  /** The connection has been answered by the edge: what was kept back may be told now. */
  greeted(): void;
  frame(frame: EdgeFrame): void;
  schedule(ms: number, work: () => void): () => void;
  random(): number;
  log: AgentLog;
}

/**
 * Keeps a connection to the edge: opens it, says hello, pings twice a minute, and when it is lost for whatever reason
 * opens another, after a pause that grows to a minute and is cut short by nothing but an answered connection.
 */
export class LinkClient {
  readonly #deps: LinkDeps;
  #socket: LinkSocket | null = null;
  #isOpen = false;
  #isStopped = false;
  #attempts = 0;
  #displaced = false;
  #cancels = new Set<() => void>();

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (!this.#isStopped && !this.#socket) this.#open();
  }

  /** Ends the connection for good. */
  stop(): void {
    this.#isStopped = true;
    this.#unschedule();
    this.#socket?.close(1000);
  }

  /** False when there is no connection: what must not be lost is told again after the next hello. */
  send(frame: AgentFrame): boolean {
    if (!this.#isOpen || !this.#socket) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  #open(): void {
    // Events of a socket that is no longer this one's say nothing.
    let mine: LinkSocket | null = null;
    const isMine = () => this.#socket === mine;
    const socket = this.#deps.connect({
      open: () => void (isMine() && this.#opened()),
      message: (text) => void (isMine() && this.#message(text)),
      closed: (why) => void (isMine() && this.#closed(why)),
    });
    mine = socket;
    this.#socket = socket;
  }

  async #opened(): Promise<void> {
    const socket = this.#socket;
    try {
      const hello = await this.#deps.hello({ displaced: this.#displaced });
      if (this.#socket !== socket || !socket) return;
      socket.send(JSON.stringify(hello));
      this.#isOpen = true;
      this.#displaced = false;
      this.#ping();
    } catch (error) {
      this.#deps.log.error("no hello could be made", { error: nameOf(error) });
      socket?.drop();
    }
  }

  /** The answer to the first ping is what tells that the edge took the hello. */
  #ping(): void {
    this.#socket?.send(PING);
    this.#later(PONG_WITHIN_MS, () => {
      this.#deps.log.warn("the edge does not answer");
      this.#drop();
    });
  }

  #message(text: string): void {
    const frame = text === PONG ? null : readEdgeFrame(text);
    if (frame && this.#isOpen) this.#deps.frame(frame);
    else if (text === PONG) this.#ponged();
    else this.#deps.log.warn("a frame that is none was passed over");
  }

  #ponged(): void {
    this.#unschedule();
    if (this.#attempts >= 0) this.#deps.greeted();
    this.#attempts = -1;
    this.#later(PING_EVERY_MS, () => this.#ping());
  }

  /** Lets go of a socket that may never say that it is closed. */
  #drop(): void {
    const socket = this.#socket;
    this.#closed({ code: 1006 });
    socket?.drop();
  }

  #closed({ code, status }: { code: number; status?: number }): void {
    this.#unschedule();
    this.#socket = null;
    this.#isOpen = false;
    if (this.#isStopped) return;
    this.#attempts = Math.max(0, this.#attempts);
    if (code === CLOSE.replaced) this.#displaced = true;
    const pauseMs = wantsPause(code, status)
      ? longPauseMs(this.#deps.random)
      : backoffMs(this.#attempts, this.#deps.random);
    this.#attempts += 1;
    this.#deps.log.warn("not connected", { code, status, again_in_ms: pauseMs });
    this.#later(pauseMs, () => this.#open());
  }

  #later(ms: number, work: () => void): void {
    const cancel = this.#deps.schedule(ms, () => {
      this.#cancels.delete(cancel);
      work();
    });
    this.#cancels.add(cancel);
  }

  #unschedule(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}

/** Another agent has our place, our key is no longer one, or we speak another version: hurrying helps nobody. */
const wantsPause = (code: number, status: number | undefined): boolean =>
  status === 401 ||
  [CLOSE.replaced, CLOSE.revoked, CLOSE.badHello, CLOSE.badFrames].some((one) => one === code);

const nameOf = (error: unknown) => (error instanceof Error ? error.name : typeof error);
