import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { requestToken } from "../local/twins/aapanel/signature.ts";
import { type AapanelTwin, startAapanelTwin } from "../local/twins/aapanel/twin.ts";
import { RELAY_NOT_SENT } from "../shared/providers/http-exchange.ts";
import { throughRelay } from "../shared/providers/relay.ts";

const key = "e2e-relay-key-0001-abcdefghijklmnop";
const apiKey = "e2e-panel-key-0001";
const folder = mkdtempSync(join(tmpdir(), "lumbung-relay-"));
const program = join(folder, "nusantarad.mjs");

let panel: AapanelTwin;
let relay: ChildProcess;
let url: string;
let said = "";

/** The agent as it is shipped: one file, run by a plain Node. */
beforeAll(async () => {
  panel = await startAapanelTwin({ apiKey });
  const entryPoints = [join(import.meta.dirname, "../agent/nusantarad.ts")];
  const format = { bundle: true, platform: "node", target: "node20", format: "esm" } as const;
  buildSync({ entryPoints, outfile: program, ...format });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const listen = `127.0.0.1:${port}`;
  const settings = { RELAY_KEY: key, RELAY_TARGETS: panel.url, RELAY_LISTEN: listen };
  relay = spawn(process.execPath, [program, "relay"], {
    env: { ...process.env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [relay.stdout, relay.stderr]) {
    stream?.on("data", (chunk) => {
      said += chunk;
    });
  }
  await vi.waitFor(async () => expect((await fetch(`${url}/healthz`)).ok).toBe(true), 10_000);
});

afterAll(async () => {
  if (relay?.exitCode === null) {
    const ended = once(relay, "exit");
    relay.kill("SIGKILL");
    await ended;
  }
  await panel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The Worker's `fetch`, whose calls to these hosts go through the relay. */
const through = (hosts: string[], relayKey = key) =>
  throughRelay({ url, key: relayKey, hosts, fetch: (input, init) => fetch(input, init) });

function addSite(domain: string): RequestInit {
  const body = new URLSearchParams({
    request_time: "1",
    request_token: requestToken(apiKey, "1"),
    webname: JSON.stringify({ domain, domainlist: [], count: 0 }),
    path: `/www/wwwroot/${domain}`,
    port: "80",
    ps: domain,
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", headers, body: body.toString() };
}

const host = () => new URL(panel.url).host;
const names = () => [...panel.state.sites.values()].map((site) => site.name);

it("says at its start what has to be registered, and no secret", async () => {
  expect(said).toContain(`listens on ${url}`);
  // It finds its address out beside its work.
  const words = "Register this machine's outgoing address";
  await vi.waitFor(() => expect(said).toContain(words), 10_000);
  expect(said).not.toContain(key);
});

it("carries the Worker's call to the provider and its answer back", async () => {
  const send = through([host()]);
  const answer = await send(`${panel.url}/site?action=AddSite`, addSite("relayed.example"));
  expect(await answer.json()).toMatchObject({ siteStatus: true });
  expect(names()).toContain("relayed.example");
  const page = await send(`${panel.url}/nowhere`, { method: "GET" });
  expect([page.status, page.headers.get("relay-status")]).toEqual([404, "404"]);
});

it("carries bytes as they are", async () => {
  const bytes = new Uint8Array(Array.from({ length: 70_000 }, (_, index) => index % 256));
  const form = new FormData();
  const fields = { f_path: "/www/wwwroot/bytes", f_name: "a.bin", f_size: "70000", f_start: "0" };
  const signed = { request_time: "1", request_token: requestToken(apiKey, "1") };
  for (const [name, value] of Object.entries({ ...signed, ...fields })) form.set(name, value);
  form.set("blob", new Blob([bytes]));
  const request = new Request(url, { method: "POST", body: form });
  const headers = { "content-type": request.headers.get("content-type") ?? "" };
  const body = new Uint8Array(await request.arrayBuffer());
  const send = through([host()]);
  const init = { method: "POST", headers, body };
  const answer = await send(`${panel.url}/files?action=upload`, init);
  expect(await answer.json()).toMatchObject({ status: true });
  await fetch(`${panel.url}/_dials`, { method: "DELETE" });
  const check = new URLSearchParams({ ...signed, path: "/www/wwwroot/bytes" });
  const list = await fetch(`${panel.url}/files?action=GetDir`, { method: "POST", body: check });
  expect(JSON.stringify(await list.json())).toContain("a.bin;70000;");
});

it("tells for certain that nothing was sent: wrong key, foreign host", async () => {
  const before = names().length;
  const wrong = through([host()], "e2e-relay-key-0002-abcdefghijklmnop");
  const call = wrong(`${panel.url}/site?action=AddSite`, addSite("never.example"));
  await expect(call).rejects.toMatchObject({ code: RELAY_NOT_SENT });
  const foreign = through(["foreign.example"])("https://foreign.example/", { method: "GET" });
  await expect(foreign).rejects.toMatchObject({ code: RELAY_NOT_SENT });
  expect(names()).toHaveLength(before);
});

it("leaves it in doubt when the answer is lost after the provider acted", async () => {
  const dials = { match: "doubt.example", down: { acts: true, count: 1 } };
  await fetch(`${panel.url}/_dials`, { method: "PUT", body: JSON.stringify(dials) });
  const call = through([host()])(`${panel.url}/site?action=AddSite`, addSite("doubt.example"));
  await expect(call).rejects.toMatchObject({ code: "RELAY_BROKEN" });
  expect(names()).toContain("doubt.example");
});

it("gives up when its caller would", async () => {
  const dials = { match: "slow.example", timeOut: { count: 1 } };
  await fetch(`${panel.url}/_dials`, { method: "PUT", body: JSON.stringify(dials) });
  const init = { ...addSite("slow.example"), timeoutMs: 1_000 };
  const call = through([host()])(`${panel.url}/site?action=AddSite`, init);
  await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
});

it("writes calls down without their secrets, and stops when it is told to", async () => {
  const ended = once(relay, "exit");
  relay.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(said).toContain(`"to":"${panel.url}/site"`);
  expect(said).not.toContain(requestToken(apiKey, "1"));
  expect(said).not.toContain("relayed.example");
});
