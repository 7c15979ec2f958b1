import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { TestEnv, TestShard } from "./worker.ts";

export type ShardStub = DurableObjectStub<TestShard>;

let count = 0;

/** An object of its own for a test; the first word of its name chooses its settings. */
export function newShard(kind: string): ShardStub {
  count += 1;
  return bindings().SHARD.getByName(`${kind}-${count}-${Date.now()}`);
}

export function newEcho(): DurableObjectStub {
  count += 1;
  return bindings().ECHO.getByName(`echo-${count}-${Date.now()}`);
}

/** This project has its own Worker, whose bindings the application's generated types do not know. */
function bindings(): TestEnv {
  return env as unknown as TestEnv;
}

/** Runs inside the object; the harness's own types lose the class of a stub. */
export function inside<R>(
  stub: ShardStub,
  look: (shard: TestShard, state: DurableObjectState) => R | Promise<R>,
): Promise<R> {
  return runInDurableObject<TestShard, R>(stub, look);
}

/** What the handlers of an object were told in this life of it. */
export const toldTo = (stub: ShardStub) => inside(stub, ({ told }) => [...told]);

/** Until the object has written down all that it knows. */
export const isWritten = (stub: ShardStub) =>
  expect
    .poll(() =>
      inside(stub, (_, { storage }) =>
        storage.sql.exec("select is_unwritten as n from socketio_clock").one(),
      ),
    )
    .toEqual({ n: 0 });

/** When the object's alarm rings, if at all. */
export const alarmOf = (stub: ShardStub) => inside(stub, (_, state) => state.storage.getAlarm());

/** Time passes for the object, and its alarm rings. */
export async function ring(stub: ShardStub, ms: number): Promise<void> {
  await pass(stub, ms);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
}

/** Time passes for the object. An eviction sets it back. */
export async function pass(stub: ShardStub, ms: number): Promise<void> {
  await inside(stub, (shard) => {
    shard.skippedMs += ms;
  });
}

export const urlOf = (query: string) => `http://shard.test/socket.io/?${query}`;

/** A frame: text, or the bytes of a binary one. */
type Received = string | number[];

/** A client that speaks the wire's own language, frame by frame. */
export class WireClient {
  readonly #ws: WebSocket;
  readonly #frames: Received[] = [];
  #waiting: ((frame: Received) => void) | null = null;
  /** Settles with the code and reason of the closing. */
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.binaryType = "arraybuffer";
    ws.addEventListener("message", ({ data }) => {
      const frame = typeof data === "string" ? data : [...new Uint8Array(data)];
      if (this.#waiting) this.#waiting(frame);
      else this.#frames.push(frame);
      this.#waiting = null;
    });
    this.closed = new Promise((resolve) => {
      ws.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
    ws.accept();
  }

  static async open(stub: DurableObjectStub, query = ""): Promise<WireClient> {
    const url = urlOf(`EIO=4&transport=websocket${query}`);
    const response = await stub.fetch(url, { headers: { upgrade: "websocket" } });
    if (!response.webSocket) throw new Error(`no WebSocket: ${await response.text()}`);
    return new WireClient(response.webSocket);
  }

  /** Connected to a namespace; answers the client with its socket's id and pid. */
  static async join(stub: DurableObjectStub, auth: object = {}, namespace = "/") {
    const client = await WireClient.open(stub);
    await client.next();
    const place = namespace === "/" ? "" : `${namespace},`;
    client.send(`40${place}${JSON.stringify(auth)}`);
    const answer = String(await client.next());
    expect(answer.startsWith(`40${place}{`)).toBe(true);
    const { sid, pid }: { sid: string; pid: string } = JSON.parse(answer.slice(2 + place.length));
    return { client, id: sid, pid };
  }

  send(frame: string | ArrayBuffer | Uint8Array): void {
    this.#ws.send(frame);
  }

  /** The next frame; fails when there is none for long, as on a busy machine it may come late. */
  async next(): Promise<Received> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no frame came")), 10_000);
      this.#waiting = (received) => {
        clearTimeout(timer);
        resolve(received);
      };
    });
  }

  /** Nothing is on the way: the answer to an echo comes next. */
  async expectNothing(): Promise<void> {
    this.send('42999["echo","nothing"]');
    expect(await this.next()).toBe('43999["nothing"]');
  }

  /** Until the connection is closed or a DISCONNECT came. */
  async expectGoodbye(): Promise<void> {
    await Promise.race([this.closed, this.next().then((frame) => expect(frame).toBe("41"))]);
  }

  close(): void {
    this.#ws.close(1000, "");
  }
}

/** A client that polls. */
export class PollingClient {
  readonly stub: DurableObjectStub;
  readonly sid: string;
  readonly handshake: Record<string, unknown>;

  constructor(stub: DurableObjectStub, handshake: { sid: string }) {
    this.stub = stub;
    this.sid = handshake.sid;
    this.handshake = { ...handshake };
  }

  static async open(stub: DurableObjectStub): Promise<PollingClient> {
    const response = await stub.fetch(urlOf("EIO=4&transport=polling"));
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text[0]).toBe("0");
    return new PollingClient(stub, JSON.parse(text.slice(1)));
  }

  static async join(stub: DurableObjectStub): Promise<PollingClient> {
    const client = await PollingClient.open(stub);
    await client.post("40");
    expect((await client.poll()).startsWith("40{")).toBe(true);
    return client;
  }

  request(init: RequestInit = {}): Promise<Response> {
    return this.stub.fetch(urlOf(`EIO=4&transport=polling&sid=${this.sid}`), init);
  }

  async poll(): Promise<string> {
    const response = await this.request();
    expect(response.status).toBe(200);
    return await response.text();
  }

  async post(body: string): Promise<void> {
    const response = await this.request({ method: "POST", body });
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
  }
}
