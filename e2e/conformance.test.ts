import { Agent, type ClientRequestArgs } from "node:http";
import { connect, type NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { type Fixture, startFixture } from "./socketio.ts";

const FOLDER = "workers/live/socketio";

let fixture: Fixture;
let shards: Fixture;
const open: Socket[] = [];
let count = 0;

beforeAll(async () => {
  [fixture, shards] = await Promise.all([
    startFixture(`${FOLDER}/conformance/wrangler.toml`),
    startFixture(`${FOLDER}/testing/wrangler.toml`),
  ]);
});

afterAll(async () => {
  await Promise.all([fixture?.stop(), shards?.stop()]);
});

afterEach(() => {
  for (const socket of open.splice(0)) socket.disconnect();
});

/** The stock client, on an object of its own. */
function client(kind: string, options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
  count += 1;
  const query = { shard: `${kind}-e2e-${count}` };
  const socket = io(shards.url, { query, forceNew: true, reconnectionDelay: 50, ...options });
  open.push(socket);
  return socket;
}

const once = (socket: Socket, event: string) =>
  new Promise<unknown[]>((done) => socket.once(event, (...args) => done(args)));

const engineOf = ({ io: manager }: Socket) => manager.engine;

describe.each([
  ["polling and an upgrade", ["polling", "websocket"]],
  ["a WebSocket", ["websocket"]],
  ["polling alone", ["polling"]],
])("the stock client over %s", (_, transports) => {
  it("sends and gets text and binary, with acknowledgements both ways", async () => {
    const socket = client("plain", { transports });
    socket.on("question", (first: string, answer: (...args: unknown[]) => void) =>
      answer(first, { deep: [Buffer.from([1, 2])] }),
    );
    const image = Buffer.from([9, 8, 7]);
    expect(await socket.emitWithAck("echo", { text: "é😀", image: [{ image }] })).toEqual({
      text: "é😀",
      image: [{ image }],
    });
    socket.emit("ask", "age");
    expect(await once(socket, "answered")).toEqual([["age", { deep: [Buffer.from([1, 2])] }]]);
  });

  it("is refused with the application's message and data", async () => {
    const socket = client("plain", { transports, auth: { refuse: "ban" } });
    const [error] = await once(socket, "connect_error");
    expect(error).toMatchObject({ message: "Not you", data: { why: "ban" } });
  });

  it("comes back by itself when it is told nothing and closed, as by an object that is being moved", async () => {
    const socket = client("plain", { transports, auth: { later: "once", name: "Sari" } });
    await once(socket, "connect");
    expect(await socket.emitWithAck("echo", 1)).toBe(1);
  });

  it("goes on after a loss, with what it missed", async () => {
    const socket = client("recovering", { transports, auth: { name: "Sari" } });
    await once(socket, "connect");
    const { id } = socket;
    await socket.emitWithAck("echo", 1);
    socket.emit("join", "live");
    const other = io(shards.url, { ...socket.io.opts, forceNew: true });
    open.push(other);
    await once(other, "connect");
    await socket.emitWithAck("echo", 2);
    engineOf(socket).close();
    other.emit("say", "live", "missed");
    const [said] = await once(socket, "said");
    expect([said, socket.id, socket.recovered]).toEqual(["missed", id, true]);
  });

  it("begins anew, and knows it, when a part of what it missed is lost", async () => {
    const auth = { name: "Sari" };
    const socket = client("recovering", { transports, reconnection: false, auth });
    await once(socket, "connect");
    const { id } = socket;
    socket.emit("join", "live");
    await socket.emitWithAck("echo", 1);
    const other = io(shards.url, { ...socket.io.opts, forceNew: true });
    open.push(other);
    await once(other, "connect");
    await other.emitWithAck("echo", 2);
    engineOf(socket).close();
    other.emit("lose", "live");
    await other.emitWithAck("echo", 3);
    socket.connect();
    await once(socket, "connect");
    expect([socket.recovered, socket.id === id]).toEqual([false, false]);
  });

  it("goes on at another object after a loss, with what it missed at the first", async () => {
    const socket = client("moving", {
      transports,
      reconnection: false,
      auth: { name: "Sari" },
    });
    await once(socket, "connect");
    const { id } = socket;
    socket.emit("join", "live");
    await socket.emitWithAck("echo", 1);
    const other = io(shards.url, { ...socket.io.opts, forceNew: true });
    open.push(other);
    await once(other, "connect");
    engineOf(socket).close();
    other.emit("say", "live", "missed");
    await other.emitWithAck("echo", 2);
    const heard: unknown[] = [];
    socket.on("said", (words) => heard.push(words));
    count += 1;
    socket.io.opts.query = { shard: `moving-e2e-${count}` };
    socket.connect();
    await once(socket, "connect");
    await socket.emitWithAck("echo", 3);
    expect([heard, socket.id, socket.recovered]).toEqual([["missed"], id, true]);
  });
});

/** Connects when it is told to: how early a client upgrades is its own affair, and depends on the machine's mood. */
class HeldAgent extends Agent {
  readonly #told: Promise<void>;
  letGo: () => void = () => undefined;

  constructor() {
    super();
    this.#told = new Promise((go) => {
      this.letGo = go;
    });
  }

  override createConnection(
    options: ClientRequestArgs,
    done: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#told.then(() => done(null, connect(options as NetConnectOpts)));
  }
}

describe("an upgrade of the stock client", () => {
  it("loses and reorders nothing that is sent meanwhile", async () => {
    const agent = new HeldAgent();
    const socket = client("plain", { transportOptions: { websocket: { agent } } });
    await once(socket, "connect");
    const got: unknown[] = [];
    socket.on("echoed", (n) => got.push(n));
    let sent = 0;
    const sendSome = async (count: number) => {
      for (const end = sent + count; sent < end; sent += 1) {
        socket.emit("echo", sent);
        if (sent % 20 === 0) await new Promise((next) => setImmediate(next));
      }
    };
    await sendSome(100);
    expect(await socket.emitWithAck("echo", "polling")).toBe("polling");
    expect(engineOf(socket).transport.name).toBe("polling");
    const upgraded = new Promise((done) => engineOf(socket).once("upgrade", done));
    agent.letGo();
    await sendSome(200);
    await upgraded;
    await sendSome(100);
    expect(await socket.emitWithAck("echo", "end")).toBe("end");
    expect(engineOf(socket).transport.name).toBe("websocket");
    expect(got).toEqual(Array.from({ length: sent }, (_, n) => n));
  });
});

/** Its time-out of 200 ms is the suites' own: on a busy machine an answer may be late, and the connection is closed. */
describe("the fixture of the public suites", { retry: 3 }, () => {
  /** Collects frames until the connection is closed. */
  function frames(path: string, onFrame: (ws: WebSocket, frame: string) => void) {
    const ws = new WebSocket(
      `${fixture.url.replace("http", "ws")}${path}?EIO=4&transport=websocket`,
    );
    const got: string[] = [];
    ws.on("message", (data) => {
      got.push(String(data));
      onFrame(ws, String(data));
    });
    return new Promise<{ got: string[]; ms: number }>((done) => {
      const start = Date.now();
      ws.on("close", () => done({ got, ms: Date.now() - start }));
    });
  }

  it("closes who does not answer a ping, after interval and time-out", async () => {
    const { got, ms } = await frames("/engine.io/", () => undefined);
    expect(got.map((frame) => frame[0])).toEqual(["0", "2"]);
    expect(ms).toBeGreaterThanOrEqual(450);
    expect(ms).toBeLessThan(2_000);
  });

  it("lets who answers live on, and echoes", async () => {
    let pings = 0;
    const { got } = await frames("/engine.io/", (ws, frame) => {
      if (frame === "2") {
        pings += 1;
        ws.send(pings < 3 ? "3" : "4bye");
      }
      if (frame === "4bye") ws.send("1");
    });
    expect(got.slice(1)).toEqual(["2", "2", "2", "4bye"]);
  });

  it("closes who joins no namespace for a second", async () => {
    const { ms } = await frames("/socket.io/", (ws, frame) => frame === "2" && ws.send("3"));
    expect(ms).toBeGreaterThanOrEqual(950);
    expect(ms).toBeLessThan(2_500);
  });

  it.each(["/", "/custom"])("gives %s what it sent", async (namespace) => {
    const socket = io(`${fixture.url}${namespace}`, { forceNew: true, auth: { token: "123" } });
    open.push(socket);
    expect(await once(socket, "auth")).toEqual([{ token: "123" }]);
    socket.emit("message", 1, "2", { 3: [true] });
    expect(await once(socket, "message-back")).toEqual([1, "2", { 3: [true] }]);
    expect(await socket.emitWithAck("message-with-ack", "x")).toBe("x");
  });
});
