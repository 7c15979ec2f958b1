import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { buildAgent } from "../../local/release/build.ts";
import { makeRelease, type Release } from "../../local/release/release.ts";
import { type AgentFrame, PING, PONG, readAgentFrame } from "../../shared/agent-protocol/index.ts";
import { makeKey } from "../link/key.ts";
import { until } from "../testing/edge.ts";
import { needs } from "../testing/needs.ts";
import { currentLink, privilegedLink, versionAt } from "./layout.ts";
import {
  choose,
  newKey,
  newPlaces,
  putRelease,
  signedRelease,
  type TestPlaces,
} from "./testing.ts";

type Signed = Pick<Release, "signed" | "file">;

const { privateKey } = generateKeyPairSync("ed25519");
const key = { privateKey, publicKey: "" };
let supervisorText: string;
let old: Release;
let newer: Release;
let places: TestPlaces;
let edge: Edge;
let supervisor: ChildProcess | undefined;

beforeAll(async () => {
  const built = { key: privateKey, commit: "0123456789abcdef" };
  old = await makeRelease({ ...built, version: "1.0.0" });
  newer = await makeRelease({ ...built, version: "1.1.0" });
  supervisorText = (await buildAgent({ version: "", commit: "", builtAt: "", keys: [] }))
    .supervisor;
});

beforeEach(async () => {
  places = newPlaces();
  edge = await startEdge();
});

afterEach(async () => {
  if (supervisor && supervisor.exitCode === null) {
    supervisor.kill("SIGTERM");
    await once(supervisor, "exit");
  }
  supervisor = undefined;
  await edge.stop();
  places.remove();
});

/** The panel's side: takes the agent, gives out releases, and sends a command again to whoever holds it. */
interface Edge {
  url: string;
  hellos: Extract<AgentFrame, { t: "hello" }>[];
  results: Extract<AgentFrame, { t: "result" }>[];
  offer(release: Signed, id: string): void;
  stop(): Promise<void>;
}

async function startEdge(): Promise<Edge> {
  let command: object | null = null;
  let file = Buffer.alloc(0);
  let live: WebSocket | null = null;
  const hellos: Edge["hellos"] = [];
  const results: Edge["results"] = [];
  const server: Server = createServer((_, response) => response.end(file));
  const sockets = new WebSocketServer({ server, path: "/v1/agent" });
  const send = (frame: object) => live?.send(JSON.stringify({ v: 1, ...frame }));
  sockets.on("connection", (ws) => {
    live = ws;
    ws.on("message", (data) => {
      if (String(data) === PING) return ws.send(PONG);
      const frame = readAgentFrame(String(data));
      if (frame?.t === "hello") {
        hellos.push(frame);
        send({ t: "ack", ids: [] });
        if (command) send(command);
      }
      if (frame?.t === "result") {
        results.push(frame);
        command = null;
        send({ t: "ack", ids: [frame.id] });
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hellos, results },
    offer: (release, id) => {
      file = Buffer.from(release.file);
      const input = { attempt: id, release: release.signed };
      const deadline = Date.now() + 60_000;
      command = { t: "command", id, type: "agent.update", subject: "agent", deadline, input };
      send(command);
    },
    stop: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The old release, installed and supervised as on a server, the privileged half a process of its own. */
async function install(trialS: number): Promise<void> {
  putRelease(places, "1.0.0", old.file.toString());
  choose(places, "1.0.0");
  const supervise = join(places.programDir, "supervise.sh");
  writeFileSync(supervise, supervisorText);
  const etc = join(places.programDir, "etc");
  mkdirSync(etc);
  writeFileSync(join(etc, "agent.key"), makeKey().pem, { mode: 0o600 });
  const { programDir, stateDir } = places;
  const settings = {
    ...{ url: edge.url, serverId: "srv_1", keyFile: join(etc, "agent.key"), programDir, stateDir },
    ...{ services: "direct", watch: [], sites: { dataDir: join(programDir, "sites") } },
    certificates: { dir: join(etc, "certificates") },
  };
  writeFileSync(join(etc, "agent.json"), JSON.stringify(settings), { mode: 0o644 });
  const args = [supervise, process.execPath, stateDir, programDir];
  supervisor = spawn("/bin/sh", [...args, "run", "--settings", join(etc, "agent.json")], {
    stdio: "ignore",
    env: {
      ...{ ...process.env, NUSANTARAD_TRIAL_S: String(trialS) },
      ...{ NUSANTARAD_PAUSE_MS: "20", NUSANTARAD_GRACE_S: "5" },
    },
  });
  await until("the old version", () => edge.hellos.length === 1);
}

const id = () => crypto.randomUUID();

/** A release whose file is anything at all, signed by the operator all the same. */
function broken(version: string, source: string): Signed {
  const { release, file } = signedRelease(key, version, source);
  return { signed: release, file };
}

needs("root")("an update of a real agent", () => {
  it("starts the new version, which ends the command and becomes the privileged half", async () => {
    await install(20);
    edge.offer(newer, id());
    const { outcome } = await until("an end", () => edge.results[0]);
    expect(outcome).toEqual({
      ok: true,
      value: expect.objectContaining({ version: "1.1.0", commit: "0123456789abcdef" }),
    });
    expect(edge.hellos.map(({ agentVersion }) => agentVersion)).toEqual(["1.0.0", "1.1.0"]);
    expect(edge.hellos[1]?.holds).toMatchObject([{ state: "started" }]);
    expect([versionAt(currentLink(places)), versionAt(privilegedLink(places))]).toEqual([
      "1.1.0",
      "1.1.0",
    ]);
    edge.offer(old, id());
    const replayed = await until("a second end", () => edge.results[1]);
    expect(replayed.outcome).toMatchObject({ ok: false, error: { code: "version" } });
    const forged = signedRelease(newKey(), "1.2.0");
    edge.offer({ signed: forged.release, file: forged.file }, id());
    const refused = await until("a third end", () => edge.results[2]);
    expect(refused.outcome).toMatchObject({ ok: false, error: { code: "integrity" } });
    expect(versionAt(currentLink(places))).toBe("1.1.0");
  });

  it.each([
    ["crashes at once", 'throw new Error("broken");', 20_000],
    ["starts and never connects", "setInterval(() => {}, 1000);", 1],
  ])("that %s returns to the old version, which tells why", async (_, source, trialS) => {
    await install(trialS);
    edge.offer(broken("1.1.0", source), id());
    const { outcome } = await until("an end", () => edge.results[0]);
    expect(outcome).toMatchObject({
      ok: false,
      error: {
        code: "tool_failed",
        message: expect.stringMatching(/^1\.1\.0 was given up: .*; 1\.0\.0 runs again$/),
      },
    });
    expect(edge.hellos.map(({ agentVersion }) => agentVersion)).toEqual(["1.0.0", "1.0.0"]);
    expect(versionAt(currentLink(places))).toBe("1.0.0");
    expect(versionAt(privilegedLink(places))).toBeNull();
  });
});
