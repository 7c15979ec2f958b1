import { z } from "zod";
import {
  CLOSE,
  type EdgeFrame,
  MAX_FRAME_LENGTH,
  PING,
  PONG,
} from "../../../shared/agent-protocol/index.ts";

/** An agent says ping twice a minute: who was not heard for this long is gone, whatever its socket says. */
export const SILENT_AFTER_MS = 90_000;

/** What is known of a connection; it lies with the socket, so it outlives the object's sleep. */
const connection = z.object({
  connectedAt: z.number(),
  address: z.string(),
  /** Null until the agent has said hello. */
  agent: z.object({ version: z.string(), instance: z.string() }).nullable(),
  strikes: z.number(),
  /** The agent that was heard here until this connection took its place. */
  replaced: z.object({ instance: z.string(), address: z.string() }).nullable(),
});
export type Connection = z.output<typeof connection>;

/** The one socket of a server's agent: a newer one takes the place of an older one. */
export class AgentSocket {
  readonly #state: DurableObjectState;

  constructor(state: DurableObjectState) {
    this.#state = state;
    // Answered by the platform while the object sleeps.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  accept(address: string, now: number): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    const before = this.#open();
    const replaced = before && this.#isHeard(before, now) ? connectionOf(before) : null;
    this.close("replaced");
    this.#state.acceptWebSocket(server);
    write(server, {
      ...{ connectedAt: now, address, agent: null, strikes: 0 },
      replaced: replaced?.agent
        ? { instance: replaced.agent.instance, address: replaced.address }
        : null,
    });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** The connection, once its agent has said hello and as long as it is heard. */
  current(now: number): { connection: Connection; seenAt: number } | null {
    const ws = this.#open();
    if (!ws || !this.#isHeard(ws, now)) return null;
    const found = connectionOf(ws);
    return found.agent ? { connection: found, seenAt: this.#seenAt(ws, found) } : null;
  }

  /** True when the frame is on its way to an agent. */
  send(frame: EdgeFrame, now: number): boolean {
    const ws = this.#open();
    if (!ws || !connectionOf(ws).agent) return false;
    if (!this.#isHeard(ws, now)) {
      ws.close(CLOSE.silent, "silent");
      return false;
    }
    const text = JSON.stringify(frame);
    if (text.length > MAX_FRAME_LENGTH) throw new Error("a frame of ours is too large");
    ws.send(text);
    return true;
  }

  /** False for a socket whose place has been taken: nothing that it still says counts. */
  isCurrent(ws: WebSocket): boolean {
    return this.#open() === ws;
  }

  close(why: keyof typeof CLOSE): void {
    for (const ws of this.#state.getWebSockets()) closeQuietly(ws, CLOSE[why], why);
  }

  /** The newest that is not closing. */
  #open(): WebSocket | null {
    const open = this.#state.getWebSockets().filter((ws) => ws.readyState === WebSocket.OPEN);
    return open.at(-1) ?? null;
  }

  #isHeard(ws: WebSocket, now: number): boolean {
    return now - this.#seenAt(ws, connectionOf(ws)) < SILENT_AFTER_MS;
  }

  #seenAt(ws: WebSocket, { connectedAt }: Connection): number {
    const pinged = this.#state.getWebSocketAutoResponseTimestamp(ws)?.getTime() ?? 0;
    return Math.max(connectedAt, pinged);
  }
}

export const connectionOf = (ws: WebSocket): Connection =>
  connection.parse(ws.deserializeAttachment());

export function write(ws: WebSocket, next: Connection): void {
  ws.serializeAttachment(next);
}

export function closeQuietly(ws: WebSocket, code: number, reason: string): void {
  try {
    ws.close(code, reason);
  } catch {
    // It is closed already.
  }
}
