import { createPrivateKey, sign } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { connectHeaders } from "../../agent/link/key.ts";
import { type AgentFrame, PING, readEdgeFrame } from "../../shared/agent-protocol/index.ts";
import { startForked } from "./forked.ts";

/** Agents without a server behind them, in a process of their own: each keeps its connection and answers at once. */
export interface SimulatedAgents {
  connect(options: Connecting): Promise<Connected>;
  /** How many still are connected, and how many reports they have sent. */
  count(): Promise<{ open: number; reports: number }>;
  leave(): Promise<void>;
}

export interface Connecting {
  url: string;
  servers: { id: string; pem: string; publicKey: string }[];
  sideBySide: number;
  /** 0: no reports. */
  reportEveryMs: number;
}

export interface Connected {
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

type Order = { name: "connect"; options: Connecting } | { name: "count" };

export async function startSimulated(
  keep: (stop: () => Promise<unknown>) => void,
): Promise<SimulatedAgents> {
  const { child, heard, stop } = await startForked(import.meta.filename, ["agents"], keep);
  const ask = async (order: Order): Promise<unknown> => {
    child.send(order);
    const answer = await heard();
    if (answer && typeof answer === "object" && "failed" in answer) {
      throw new Error(String(answer.failed));
    }
    return answer;
  };
  return {
    connect: async (options) => (await ask({ name: "connect", options })) as Connected,
    count: async () => (await ask({ name: "count" })) as { open: number; reports: number },
    leave: stop,
  };
}

const PING_EVERY_MS = 30_000;
const sockets: WebSocket[] = [];
let reports = 0;

const facts = {
  ...{ hostname: "bench", goos: "linux", goarch: "x64", osId: "debian", osVersion: "12" },
  ...{ cpuThreads: 2, memoryBytes: 4e9, sitesRoot: "/var/www", phpVersions: ["8.2"] },
};

function reportNow(): AgentFrame {
  const at = new Date().toISOString();
  return {
    ...{ v: 1, t: "report" },
    report: {
      at,
      agent: { version: "1.0.0", commit: "bench", builtAt: at, runtime: "node", lastUpdate: null },
      host: {
        ...{ uptimeSeconds: 86_400, cpuPercent: 12.5, load: [0.5, 0.4, 0.3] },
        memory: { totalBytes: 4e9, availableBytes: 2e9, swapTotalBytes: 0, swapFreeBytes: 0 },
        disks: [{ mount: "/", totalBytes: 5e10, usedBytes: 2e10, usedPercent: 40 }],
        network: { receivedBytesPerSecond: 1e4, sentBytesPerSecond: 2e4 },
      },
      services: ["nginx", "mariadb", "php8.2-fpm"].map((name) => ({ name, status: "active" })),
      certificates: [],
    },
  };
}

async function open(options: Connecting, server: Connecting["servers"][number]): Promise<number> {
  const privateKey = createPrivateKey(server.pem);
  const key = {
    publicKey: server.publicKey,
    sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  };
  const who = { key, serverId: server.id, now: () => new Date() };
  const began = performance.now();
  const headers = connectHeaders(who, new URL(options.url).host);
  const ws = new WebSocket(`${options.url.replace("http", "ws")}/v1/agent`, {
    ...{ headers, perMessageDeflate: false },
  });
  ws.on("message", (data) => answer(ws, String(data)));
  // One that breaks later on is no longer counted as open, and takes no other with it.
  ws.on("error", () => undefined);
  await once(ws, "open");
  send(ws, {
    ...{ v: 1, t: "hello", agentVersion: "1.0.0", facts, instance: crypto.randomUUID() },
    ...{ displaced: false, holds: [] },
  });
  ws.send(PING);
  await once(ws, "message");
  setInterval(() => ws.send(PING), PING_EVERY_MS);
  if (options.reportEveryMs > 0) {
    // Spread over the minute, as agents are that were not started by one hand.
    setTimeout(() => {
      const tell = () => {
        reports += 1;
        send(ws, reportNow());
      };
      tell();
      setInterval(tell, options.reportEveryMs);
    }, Math.random() * options.reportEveryMs);
  }
  sockets.push(ws);
  return performance.now() - began;
}

const send = (ws: WebSocket, frame: AgentFrame) => ws.send(JSON.stringify(frame));

function answer(ws: WebSocket, text: string): void {
  const frame = readEdgeFrame(text);
  if (frame?.t === "command") {
    const value = { database: "bench", created: true };
    send(ws, { v: 1, t: "result", id: frame.id, outcome: { ok: true, value } });
  } else if (frame?.t === "ask") {
    send(ws, { v: 1, t: "answer", id: frame.id, outcome: { ok: true, value: { databases: [] } } });
  }
}

async function connect(options: Connecting): Promise<Connected> {
  const times: number[] = [];
  const left = [...options.servers];
  const began = performance.now();
  const client = async () => {
    for (let next = left.pop(); next; next = left.pop()) times.push(await open(options, next));
  };
  await Promise.all(Array.from({ length: options.sideBySide }, client));
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return {
    seconds: (performance.now() - began) / 1_000,
    p50Ms: at(0.5) ?? 0,
    p99Ms: at(0.99) ?? 0,
  };
}

async function obey(order: Order): Promise<unknown> {
  if (order.name === "connect") return await connect(order.options);
  return {
    open: sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length,
    reports,
  };
}

if (process.argv[2] === "agents" && process.send) {
  process.on("message", (order: Order) => {
    obey(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) => process.send?.({ failed: String(error) }),
    );
  });
  process.on("disconnect", () => process.exit());
  process.send("ready");
}
