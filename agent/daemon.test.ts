import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectText } from "../shared/agent-protocol/index.ts";
import { enrol } from "./enrol.ts";
import {
  type EdgeConnection,
  startEdge,
  type TestEdge,
  testCommand,
  until,
} from "./testing/edge.ts";

let folder: string;
let edge: TestEdge;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "agent-"));
  edge = await startEdge({ status: 201, body: { serverId: "srv_1_a", serverName: "Uji" } });
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  await edge.stop();
  rmSync(folder, { recursive: true });
});

const settingsFile = () => join(folder, "agent.json");

/** Enrols at the stand-in, as `nusantarad enrol` does. */
async function enrolHere() {
  mkdirSync(join(folder, "etc"), { recursive: true });
  writeFileSync(
    settingsFile(),
    JSON.stringify({ keyFile: join(folder, "etc/agent.key"), stateDir: join(folder, "state") }),
  );
  return await enrol({ url: edge.url, token: "t".repeat(43), file: settingsFile() });
}

/** A real agent in a process of its own; see agent/testing/steps-agent.ts. */
function startAgent(): ChildProcess {
  const entry = join(import.meta.dirname, "testing/steps-agent.ts");
  const child = spawn(process.execPath, [entry, settingsFile(), folder], { stdio: "inherit" });
  children.push(child);
  return child;
}

const connection = (n: number) =>
  until(`connection ${n}`, () => {
    const found = edge.connections[n];
    return found && found.frames.length > 0 ? found : null;
  });
const hello = ({ frames }: EdgeConnection) => frames.find((frame) => frame.t === "hello");
const results = ({ frames }: EdgeConnection, id: string) =>
  frames.flatMap((frame) => (frame.t === "result" && frame.id === id ? [frame.outcome] : []));

describe("enrolling", () => {
  it("makes a key that stays here, keeps other settings, and writes them for the agent alone to read", async () => {
    const { settings } = await enrolHere();
    expect(settings).toMatchObject({ serverId: "srv_1_a", url: edge.url });
    expect(edge.enrolments).toMatchObject([{ token: "t".repeat(43), facts: { goos: "linux" } }]);
    const { mode } = statSync(settings.keyFile);
    expect(mode & 0o777).toBe(0o600);
    expect(JSON.stringify(edge.enrolments)).not.toContain("PRIVATE");
    expect(JSON.parse(readFileSync(settingsFile(), "utf8"))).toMatchObject({
      stateDir: join(folder, "state"),
    });
  });

  it("takes the token from standard input, a file or the environment, and refuses it as an argument", async () => {
    const token = "t".repeat(43);
    const file = join(folder, "token");
    writeFileSync(file, `${token}\n`);
    const enrolled = (args: string[], input = "", env = {}) =>
      new Promise<string>((resolve) => {
        const all = ["enrol", "--url", edge.url, "--settings", settingsFile(), ...args];
        const entry = join(import.meta.dirname, "nusantarad.ts");
        const options = { env: { ...process.env, ...env } };
        const child = execFile(process.execPath, [entry, ...all], options, (_, out, err) =>
          resolve(out + err),
        );
        child.stdin?.end(input);
      });
    mkdirSync(join(folder, "etc"), { recursive: true });
    writeFileSync(settingsFile(), JSON.stringify({ keyFile: join(folder, "etc/agent.key") }));
    const said = [
      await enrolled([], token),
      await enrolled(["--token-file", file]),
      await enrolled([], "", { NUSANTARAD_TOKEN: token }),
      await enrolled(["--token", token], token),
      await enrolled([], ""),
    ];
    expect(said).toEqual([
      ...Array(3).fill(expect.stringContaining("This server is now")),
      expect.stringContaining("among the arguments can be read"),
      expect.stringContaining("no enrolment token"),
    ]);
    expect(said.join()).not.toContain(token);
    expect(edge.enrolments).toMatchObject([{ token }, { token }, { token }]);
  });

  it("says no secret to an address that is neither TLS nor this machine", async () => {
    const elsewhere = { url: "http://panel.example", token: "t".repeat(43), file: settingsFile() };
    await expect(enrol(elsewhere)).rejects.toThrow("https");
    expect(existsSync(settingsFile())).toBe(false);
  });

  it("that is refused changes nothing here", async () => {
    const refusing = await startEdge({
      status: 401,
      body: { error: "enrolment token is not valid" },
    });
    const given = { url: refusing.url, token: "t".repeat(43), file: settingsFile() };
    await expect(enrol(given)).rejects.toThrow("enrolment token is not valid");
    await refusing.stop();
    expect(existsSync(settingsFile())).toBe(false);
  });
});

describe("an agent", () => {
  it("connects by a signature of its own key over host, server, time and nonce", async () => {
    const { settings } = await enrolHere();
    startAgent();
    const { headers } = await connection(0);
    const moment = {
      ...{ host: new URL(edge.url).host, server: settings.serverId },
      time: Number(headers["x-agent-time"]),
      nonce: String(headers["x-agent-nonce"]),
    };
    expect(Math.abs(Date.now() - moment.time)).toBeLessThan(60_000);
    const key = createPublicKey(readFileSync(settings.keyFile));
    const signature = Buffer.from(String(headers["x-agent-signature"]), "base64url");
    expect(verify(null, Buffer.from(connectText(moment)), key, signature)).toBe(true);
  });

  it("that is killed in the middle of a command finishes it once, after it is started again", async () => {
    await enrolHere();
    const first = startAgent();
    const before = await connection(0);
    const command = testCommand();
    before.send(command);
    await until("the first step", () => existsSync(join(folder, "toko/inside")));
    writeFileSync(join(folder, "killed"), "");
    first.kill("SIGKILL");
    await once(first, "exit");
    startAgent();
    const after = await connection(1);
    expect(hello(after)).toMatchObject({
      holds: [{ id: command.id, state: "started" }],
      displaced: false,
    });
    expect(hello(after)?.t === "hello" && hello(before)).toMatchObject({
      instance: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    for (let i = 0; i < 10; i += 1) after.send(command);
    writeFileSync(join(folder, "go"), "");
    await until("a result", () => results(after, command.id).length > 0);
    expect(results(after, command.id)[0]).toEqual({
      ok: true,
      value: { database: "toko", created: true },
    });
    expect(existsSync(join(folder, "toko/done"))).toBe(true);
    after.send({ v: 1, t: "ack", ids: [command.id] });
  });

  it("tells a result that nobody acknowledged again after a cut and after a restart, without acting again", async () => {
    await enrolHere();
    writeFileSync(join(folder, "go"), "");
    const first = startAgent();
    const before = await connection(0);
    const command = testCommand();
    before.send(command);
    await until("a result", () => results(before, command.id).length > 0);
    before.cut();
    const cut = await connection(1);
    const again = await until("it again", () => results(cut, command.id)[0]);
    expect(hello(cut)).toMatchObject({ holds: [{ id: command.id, state: "ended" }] });
    first.kill("SIGKILL");
    await once(first, "exit");
    startAgent();
    const restarted = await connection(2);
    restarted.send(command);
    await until("it again", () => results(restarted, command.id).length > 0);
    const told = [again, ...results(restarted, command.id)];
    expect(new Set(told.map((outcome) => JSON.stringify(outcome)))).toEqual(
      new Set([JSON.stringify({ ok: true, value: { database: "toko", created: true } })]),
    );
  });

  it("that is told to stop ends what runs, tells it, and closes", async () => {
    await enrolHere();
    const agent = startAgent();
    const link = await connection(0);
    const command = testCommand();
    link.send(command);
    await until("the first step", () => existsSync(join(folder, "toko/inside")));
    const exit = once(agent, "exit");
    agent.kill("SIGTERM");
    writeFileSync(join(folder, "go"), "");
    expect(await exit).toEqual([0, null]);
    expect(results(link, command.id)).toMatchObject([{ ok: true }]);
    expect(link.closed).toEqual({ code: 1000 });
  });
});
