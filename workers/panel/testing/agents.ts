import { expect } from "vitest";
import {
  type AgentFacts,
  type AgentFrame,
  type CommandFrame,
  type CommandOutcome,
  callText,
  connectText,
  type EdgeFrame,
  PROTOCOL_VERSION,
  readEdgeFrame,
  SIGNATURE_HEADERS,
} from "../../../shared/agent-protocol/index.ts";
import { toBase64Url, utf8 } from "../../../shared/crypto/index.ts";
import { api, fetchWorker, randomAddress, type TestAnswer } from "../../testing/api.ts";
import { type TestUser, unique } from "../../testing/factories.ts";

const HOST = "localhost:8787";

export const testFacts = (): AgentFacts => ({
  ...{ hostname: unique("mesin"), goos: "linux", goarch: "amd64", osId: "ubuntu" },
  ...{ osVersion: "22.04", cpuThreads: 4, memoryBytes: 8e9, sitesRoot: "/var/www" },
  phpVersions: ["8.2"],
});

export interface TestKey {
  publicKey: string;
  sign(text: string): Promise<string>;
}

export async function newKey(): Promise<TestKey> {
  // workerd's types call any key pair generation one of a single key.
  const pair = (await crypto.subtle.generateKey({ name: "Ed25519" }, true, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const raw = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
  return {
    publicKey: toBase64Url(new Uint8Array(raw)),
    sign: async (text) => {
      const signed = await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, utf8(text));
      return toBase64Url(new Uint8Array(signed));
    },
  };
}

export const enrolWith = (token: string, key: TestKey, changes: object = {}) =>
  api("/v1/agent/enrol", {
    method: "POST",
    json: {
      ...{ token, publicKey: key.publicKey, agentVersion: "1.0.0", facts: testFacts(), ...changes },
    },
  });

export interface TestServer {
  id: string;
  key: TestKey;
}

/** A server made over the API, with its token still unused. */
export async function newServer(operator: TestUser): Promise<{ id: string; token: string }> {
  const json = { name: unique("Server ") };
  const made = await api("/v1/servers", { method: "POST", token: operator.token, json });
  expect(made.status).toBe(201);
  return { id: made.body.server.id, token: made.body.enrolment.token };
}

/** A server whose agent has enrolled. */
export async function enrolledServer(operator: TestUser): Promise<TestServer> {
  const [{ id, token }, key] = [await newServer(operator), await newKey()];
  expect(await enrolWith(token, key)).toMatchObject({ status: 201, body: { serverId: id } });
  return { id, key };
}

interface SignChanges {
  time?: number;
  nonce?: string;
  host?: string;
  server?: string;
  signature?: string;
}

/** The headers of a connection, signed; `changes` are signed too, except a given signature. */
export async function connectHeaders(server: TestServer, changes: SignChanges = {}) {
  const moment = {
    ...{ host: HOST, server: server.id, time: Date.now(), nonce: unique("nonce") },
    ...changes,
  };
  return headersOf(moment, changes.signature ?? (await server.key.sign(connectText(moment))));
}

function headersOf(moment: { server: string; time: number; nonce: string }, signature: string) {
  return {
    [SIGNATURE_HEADERS.server]: moment.server,
    [SIGNATURE_HEADERS.time]: String(moment.time),
    [SIGNATURE_HEADERS.nonce]: moment.nonce,
    [SIGNATURE_HEADERS.signature]: signature,
  };
}

/** Headers of an agent's own HTTP call; `body` as it is signed. */
export async function callHeaders(
  server: TestServer,
  call: { method: string; path: string; body: string },
) {
  const moment = { host: HOST, server: server.id, time: Date.now(), nonce: unique("nonce") };
  return headersOf(moment, await server.key.sign(callText(moment, call)));
}

export async function knock(headers: Record<string, string>): Promise<Response> {
  return await fetchWorker("/v1/agent", { headers: { ...headers, upgrade: "websocket" } });
}

/** An agent as the edge sees one: a socket, what it was sent, and nothing that it does by itself. */
export class TestAgent {
  readonly frames: EdgeFrame[] = [];
  readonly instance: string;
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  #changed: () => void = () => undefined;

  constructor(socket: WebSocket, instance: string) {
    this.instance = instance;
    this.#socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      const frame = typeof data === "string" ? readEdgeFrame(data) : null;
      if (frame) this.frames.push(frame);
      this.#changed();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#changed();
    });
  }

  send(frame: AgentFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string | ArrayBuffer): void {
    this.#socket.send(text);
  }

  hello(
    holds: { id: string; state: "started" | "ended" }[] = [],
    changes: { displaced?: boolean; facts?: AgentFacts } = {},
  ): void {
    this.send({
      ...{ v: PROTOCOL_VERSION, t: "hello", agentVersion: "1.0.0", facts: testFacts() },
      ...{ instance: this.instance, displaced: false, holds, ...changes },
    });
  }

  result(id: string, outcome: CommandOutcome): void {
    this.send({ v: PROTOCOL_VERSION, t: "result", id, outcome });
  }

  close(): void {
    this.#socket.close(1000, "");
  }

  get commands(): CommandFrame[] {
    return this.frames.filter((frame) => frame.t === "command");
  }

  /** Resolves when it holds, checked at each frame and at the close. */
  async until(holds: (agent: TestAgent) => boolean, what = "what was awaited"): Promise<void> {
    const late = Date.now() + 5_000;
    while (!holds(this)) {
      if (Date.now() > late) throw new Error(`the agent did not see ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

const open = new Set<TestAgent>();

/** Closes what tests have connected so far. For `afterEach`, where no agent is shared. */
export function closeAgents(): void {
  for (const agent of open) if (!agent.closed) agent.close();
  open.clear();
}

/** Connects a server's agent; it says hello unless told otherwise. */
export async function connected(
  server: TestServer,
  {
    greet = true,
    instance = crypto.randomUUID(),
  }: { greet?: boolean; instance?: string | undefined } = {},
): Promise<TestAgent> {
  const answer = await knock(await connectHeaders(server));
  const socket = answer.webSocket;
  if (answer.status !== 101 || !socket) throw new Error(`no connection: ${answer.status}`);
  const agent = new TestAgent(socket, instance);
  open.add(agent);
  if (greet) agent.hello();
  return agent;
}

export const fromSomewhere = () => ({ "cf-connecting-ip": randomAddress() });
export type { TestAnswer };
