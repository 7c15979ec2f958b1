import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";
import { expect } from "vitest";
import { fetchWorker } from "../../testing/api.ts";
import { shardStub } from "./rounds.ts";

export interface SocketOptions {
  /** The CONNECT packet's payload. */
  auth?: Record<string, unknown>;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  /** The shard that it comes to; by default the one that the Worker chooses. */
  shard?: string;
  /** Where it comes from; by default from anywhere. */
  address?: string;
}

interface Heard {
  name: string;
  args: unknown[];
}

const PATIENCE_MS = 10_000;

/** A Socket.IO client on a WebSocket of the Worker under test: the official parser, and nothing hidden. */
export class SocketClient {
  id = "";
  /** The shard that holds this socket. */
  shard = "";
  pid: string | undefined;
  offset: string | undefined;
  /** What was heard and not yet asked for. */
  readonly heard: Heard[] = [];
  closed = false;
  readonly #ws: WebSocket;
  readonly #waiting: (() => void)[] = [];
  readonly #acks = new Map<number, unknown[]>();
  #refusal: unknown;
  #lastAck = 0;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    const decoder = new Decoder();
    decoder.on("decoded", (packet: Packet) => this.#take(packet));
    ws.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") throw new Error("binary where none is sent");
      if (data.startsWith("0")) this.shard = JSON.parse(data.slice(1)).sid.split(".")[0];
      if (data === "2") ws.send("3");
      else if (data.startsWith("4")) decoder.add(data.slice(1));
      this.#wake();
    });
    ws.addEventListener("close", () => {
      this.closed = true;
      this.#wake();
    });
    ws.accept();
  }

  #take({ type, data, id }: Packet): void {
    if (type === PacketType.CONNECT) {
      this.id = data.sid;
      this.pid = data.pid;
    } else if (type === PacketType.CONNECT_ERROR) this.#refusal = data;
    else if (type === PacketType.DISCONNECT) this.closed = true;
    else if (type === PacketType.ACK) this.#acks.set(id ?? -1, data);
    else if (type === PacketType.EVENT) {
      const [name, ...args] = data;
      const last = args.at(-1);
      if (this.pid && args.length > 1 && typeof last === "string") this.offset = args.pop();
      this.heard.push({ name, args });
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until `found` finds something. */
  async #until<T>(what: string, found: () => T | undefined): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE_MS);
    try {
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        if (late) throw new Error(`waited for ${what}; heard ${JSON.stringify(this.heard)}`);
        await new Promise<void>((wake) => this.#waiting.push(wake));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  send(frame: string | ArrayBuffer): void {
    this.#ws.send(frame);
  }

  emit(name: string, ...args: unknown[]): void {
    this.#packet({ type: PacketType.EVENT, nsp: "/", data: [name, ...args] });
  }

  /** Emits and waits for the server's acknowledgement: its first argument. */
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it reads
  async ask(name: string, ...args: unknown[]): Promise<any> {
    this.#lastAck += 1;
    const id = this.#lastAck;
    this.#packet({ type: PacketType.EVENT, nsp: "/", data: [name, ...args], id });
    const [answer] = await this.#until(`the answer to ${name}`, () => this.#acks.get(id));
    return answer;
  }

  #packet(packet: Packet): void {
    for (const part of new Encoder().encode(packet)) this.#ws.send(`4${part}`);
  }

  /** Waits for the next event of this name; takes it and what came before it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it reads
  async hears(name: string): Promise<any> {
    const at = await this.#until(name, () => {
      const index = this.heard.findIndex((one) => one.name === name);
      return index < 0 ? undefined : index;
    });
    return this.heard.splice(0, at + 1).at(-1)?.args[0];
  }

  async connect(auth: Record<string, unknown>): Promise<this> {
    this.#packet({ type: PacketType.CONNECT, nsp: "/", data: auth });
    await this.#until("the connection", () => (this.id || this.#refusal || undefined) as unknown);
    if (this.#refusal) throw Object.assign(new Error("refused"), { refusal: this.#refusal });
    return this;
  }

  async isClosed(): Promise<void> {
    await this.#until("the end of the connection", () => this.closed || undefined);
  }

  /** Goes without a goodbye, as a phone that loses its network. */
  cut(): void {
    this.#ws.close();
  }

  leave(): void {
    this.#packet({ type: PacketType.DISCONNECT, nsp: "/" });
  }
}

/** Opens a socket and connects it; throws what the server refuses with (`refusal`). */
export async function connectSocket(options: SocketOptions = {}): Promise<SocketClient> {
  const query = new URLSearchParams({ EIO: "4", transport: "websocket", ...options.query });
  const headers = { upgrade: "websocket", ...options.headers };
  const from = options.address === undefined ? {} : { address: options.address };
  const path = `/socket.io/?${query}`;
  const response = options.shard
    ? await shardStub(options.shard).fetch(`https://shard.test${path}`, { headers })
    : await fetchWorker(path, { headers, ...from });
  expect(response.status).toBe(101);
  if (!response.webSocket) throw new Error("no WebSocket");
  return await new SocketClient(response.webSocket).connect(options.auth ?? {});
}

/** A socket that is in a live room; guests join as the app does. */
export async function inLive(
  roomId: string,
  options: SocketOptions & { name?: string; userId?: number | null } = {},
): Promise<SocketClient> {
  const client = await connectSocket(options);
  const claim = { userId: options.userId ?? null, username: options.name ?? client.id };
  client.emit("user:join", claim);
  expect(await client.ask("live:join", { roomId, ...claim })).toMatchObject({ success: true });
  return client;
}
