import { fork } from "node:child_process";
import { once } from "node:events";
import { WebSocket } from "ws";

/**
 * The viewers of a room, in a process of their own, so that what they do is not counted as the server's work. They
 * speak the app's protocol by hand: the same frames to every server, and no library that would cost more than it.
 */
export interface Crowd {
  /** Opens the sockets and joins the room; settles when nothing more is being told. */
  gather(options: Gathering): Promise<void>;
  /** Chat at a rate, by everybody in turn; settles when the last message has reached the last viewer. */
  chat(options: Chatter): Promise<Delivered>;
  leave(): Promise<void>;
}

export interface Gathering {
  url: string;
  roomId: string;
  viewers: number;
  /** Ask for one frame per 50 ms. */
  batch: boolean;
}

export interface Chatter {
  messages: number;
  /** 0: as fast as it goes. */
  perSecond: number;
}

export interface Delivered {
  deliveries: number;
  missing: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

type Order = { name: "gather"; options: Gathering } | { name: "chat"; options: Chatter };

export async function startCrowd(): Promise<Crowd> {
  const child = fork(import.meta.filename, ["viewers"], { stdio: "inherit" });
  await once(child, "message");
  const ask = async (order: Order): Promise<unknown> => {
    child.send(order);
    const [answer] = await once(child, "message");
    if (answer && typeof answer === "object" && "failed" in answer) {
      throw new Error(String(answer.failed));
    }
    return answer;
  };
  return {
    gather: async (options) => void (await ask({ name: "gather", options })),
    chat: async (options) => (await ask({ name: "chat", options })) as Delivered,
    leave: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

const QUIET_MS = 1_500;
const PATIENCE_MS = 60_000;
const OPENING = 50;
const TEXT = "Halo kak, salam dari Blitar, semangat terus live-nya ya, ditunggu giveaway malam ini";

let sockets: WebSocket[] = [];
let roomId = "";
let lastFrameAt = 0;
let deliveries = 0;
let times: number[] = [];

/** Handshake, joined, and from then on every frame is looked at as briefly as possible. */
async function openViewer({ url, batch }: Gathering, number: number): Promise<WebSocket> {
  const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: false,
  });
  await new Promise<void>((ready, failed) => {
    socket.once("error", failed);
    socket.once("close", () => failed(new Error("closed before it was joined")));
    socket.on("message", (data) => {
      const text = data.toString();
      if (text === "2") return socket.send("3");
      if (text.startsWith("0")) return socket.send(`40${batch ? '{"batch":true}' : ""}`);
      if (text.startsWith("40")) {
        const who = { roomId, userId: null, username: `Penonton ${number}` };
        socket.send(`42${JSON.stringify(["live:join", who])}`);
        return ready();
      }
      hear(text);
    });
  });
  return socket;
}

/** A message carries when it was sent; a frame may carry several. */
function hear(text: string): void {
  lastFrameAt = performance.now();
  let at = text.indexOf("@at=");
  while (at !== -1) {
    deliveries += 1;
    times.push(lastFrameAt - Number(text.slice(at + 4, at + 20)));
    at = text.indexOf("@at=", at + 20);
  }
}

async function gather(options: Gathering): Promise<void> {
  roomId = options.roomId;
  for (let from = 0; from < options.viewers; from += OPENING) {
    const count = Math.min(OPENING, options.viewers - from);
    const group = Array.from({ length: count }, (_, i) => openViewer(options, from + i));
    sockets.push(...(await Promise.all(group)));
  }
  lastFrameAt = performance.now();
  await until(() => performance.now() - lastFrameAt > QUIET_MS);
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!done() && performance.now() < deadline) await pause(5);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function chat({ messages, perSecond }: Chatter): Promise<Delivered> {
  deliveries = 0;
  times = [];
  const expected = messages * (sockets.length - 1);
  const began = performance.now();
  for (let i = 0; i < messages; i++) {
    if (perSecond > 0) {
      const wait = began + (i * 1000) / perSecond - performance.now();
      if (wait > 0) await pause(wait);
    } else if (i % 10 === 9) await pause(0);
    const message = `${TEXT} @at=${performance.now().toFixed(9).slice(0, 16).padEnd(16, "0")}`;
    const said = { roomId, userId: null, username: `Penonton ${i}`, message, level: 1, vip: 0 };
    sockets[i % sockets.length]?.send(`42${JSON.stringify(["live:message", said])}`);
  }
  lastFrameAt = performance.now();
  await until(() => deliveries >= expected || performance.now() - lastFrameAt > 5_000);
  times.sort((a, b) => a - b);
  return {
    deliveries,
    missing: expected - deliveries,
    seconds: (lastFrameAt - began) / 1000,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}

function obey(order: Order): Promise<unknown> {
  switch (order.name) {
    case "gather":
      return gather(order.options);
    case "chat":
      return chat(order.options);
    default:
      return order satisfies never;
  }
}

if (process.argv[2] === "viewers" && process.send) {
  process.on("message", (order) => {
    obey(order as Order).then(
      (answer) => process.send?.(answer ?? {}),
      (error: unknown) => process.send?.({ failed: String(error) }),
    );
  });
  process.once("disconnect", () => {
    for (const socket of sockets.splice(0)) socket.terminate();
    sockets = [];
    process.exit(0);
  });
  process.send({});
}
