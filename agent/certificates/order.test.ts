import { spawn } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../testing/needs.ts";
import { type PebbleOptions, startPebble, type TestPebble } from "../testing/pebble.ts";
import { obtain } from "./order.ts";
import { openStore, type Store } from "./store.ts";
import {
  type ChallengeServer,
  certificateSettings,
  clockedCtx,
  closedPort,
  startBusyAuthority,
  startChallengeServer,
} from "./testing.ts";

const HOUR = 3_600_000;
let count = 0;
const freshName = () => {
  count += 1;
  return `toko${count}.example.com`;
};
const wish = (...names: string[]) => ({
  domain: names[0] ?? "",
  names,
  email: "admin@example.com",
  staging: false,
});
const noProgress = () => undefined;

needs("pebble")("certificates from a real ACME authority", () => {
  let server: ChallengeServer;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    server = await startChallengeServer();
  });
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
    await server.stop();
  });

  const authority = async (options: Partial<PebbleOptions> = {}) => {
    const pebble = await startPebble({ httpPort: server.port, ...options });
    stops.push(pebble.stop);
    return pebble;
  };

  const agentOf = (pebble: TestPebble, folder = join(server.folder, `agent${stops.length}`)) => {
    const settings = certificateSettings({ ...server, folder }, pebble);
    const { ctx, passMs } = clockedCtx(settings);
    return { ctx, passMs, settings, store: openStore(ctx.settings.certificates.dir) };
  };

  const ordersIn = (pebble: TestPebble) => pebble.said().split("Added order").length - 1;

  it("come for all names, with a key of their own, and leave no challenge behind", async () => {
    const pebble = await authority();
    const { ctx, store } = agentOf(pebble);
    const names = [freshName(), freshName(), freshName()];
    const { chain, key } = await obtain(ctx, store, wish(...names), noProgress);
    const leaf = new X509Certificate(chain);
    expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(names.map((name) => leaf.checkHost(name))).toEqual(names);
    expect(chain.split("BEGIN CERTIFICATE").length - 1).toBeGreaterThan(1);
    expect(readdirSync(server.challengeDir)).toEqual([]);
    const [account = ""] = readdirSync(join(ctx.settings.certificates.dir, "accounts"));
    const file = join(ctx.settings.certificates.dir, "accounts", account);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(pebble.said()).not.toContain(key.slice(30, 80));
  });

  it("use one account for all, and make a new one only where the authority knows it no more", async () => {
    const pebble = await authority();
    const { ctx, store } = agentOf(pebble);
    await obtain(ctx, store, wish(freshName()), noProgress);
    await obtain(ctx, store, wish(freshName()), noProgress);
    expect(pebble.said().match(/There are now (\d+) accounts in memory/g)).toHaveLength(1);
    const other = await authority();
    const dir = ctx.settings.certificates;
    const moved = { ...ctx, settings: { ...ctx.settings, certificates: { ...dir, ...other } } };
    const url = other.directoryUrl.replace("/dir", "/my-account/forgotten");
    await store.keepAccount(other.directoryUrl, {
      ...(await store.account(other.directoryUrl)),
      url,
    });
    await expect(obtain(moved, store, wish(freshName()), noProgress)).resolves.toHaveProperty(
      "directory",
      other.directoryUrl,
    );
  });

  it("come through an authority that refuses half of all good nonces", async () => {
    const pebble = await authority({ nonceReject: 50 });
    const { ctx, store } = agentOf(pebble);
    const name = freshName();
    const { chain } = await obtain(ctx, store, wish(name), noProgress);
    expect(new X509Certificate(chain).checkHost(name)).toBe(name);
    expect(pebble.said()).toContain("reject 50% of good nonces");
  });

  it("are asked for ever more seldom after failures, and at once again after a success", async () => {
    const pebble = await authority();
    const { ctx, store, passMs } = agentOf(pebble);
    const name = freshName();
    server.misleadAuthority([name]);
    const attempt = () => obtain(ctx, store, wish(name), noProgress);
    const pausesMin = [];
    for (let failure = 0; failure < 4; failure += 1) {
      await expect(attempt()).rejects.toMatchObject({ code: "tool_failed", retryable: false });
      const asked = ordersIn(pebble);
      const refusal: Error = await attempt().then(
        () => new Error("it was given"),
        (error) => error,
      );
      expect(refusal).toMatchObject({ code: "unavailable", retryable: false });
      expect(ordersIn(pebble), "the authority hears nothing").toBe(asked);
      const next = Date.parse(/possible at (\S+)$/.exec(refusal.message)?.[1] ?? "");
      const pauseMs = next - ctx.now().getTime();
      pausesMin.push(Math.round(pauseMs / 60_000));
      passMs(pauseMs + 1_000);
    }
    expect(pausesMin).toEqual([5, 15, 45, 135]);
    server.misleadAuthority([]);
    await attempt();
    expect((await store.budget()).failures).toEqual([]);
  });

  it("hold up no other name by the failures of one", async () => {
    const pebble = await authority();
    const { ctx, store } = agentOf(pebble);
    const [bad, good] = [freshName(), freshName()];
    server.misleadAuthority([bad]);
    await expect(obtain(ctx, store, wish(bad), noProgress)).rejects.toThrow("could not confirm");
    await expect(obtain(ctx, store, wish(good), noProgress)).resolves.toHaveProperty("chain");
    await expect(obtain(ctx, store, wish(good, bad), noProgress)).rejects.toThrow("next try");
  });

  it("are not asked for while this server itself does not show the challenge", async () => {
    const pebble = await authority();
    const { ctx, store } = agentOf(pebble);
    const port = await closedPort();
    const broken = {
      ...ctx,
      settings: { ...ctx.settings, nginx: { ...ctx.settings.nginx, httpPort: port } },
    };
    const name = freshName();
    await expect(obtain(broken, store, wish(name), noProgress)).rejects.toMatchObject({
      code: "broken_config",
    });
    expect((await store.budget()).failures).toEqual([]);
    await obtain(ctx, store, wish(name), noProgress);
    expect(ordersIn(pebble), "the order that was left open is gone on with").toBe(1);
  });

  it("wait for an authority that is away, which costs nothing", async () => {
    const pebble = await authority();
    const { ctx, store } = agentOf(pebble);
    const certificates = {
      ...ctx.settings.certificates,
      directoryUrl: `https://127.0.0.1:${await closedPort()}/dir`,
    };
    const away = { ...ctx, settings: { ...ctx.settings, certificates } };
    await expect(obtain(away, store, wish(freshName()), noProgress)).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
    expect(await store.budget()).toMatchObject({ failures: [], orders: [], issued: [] });
  });

  it("are never asked for a fifth time in a week for the same names", async () => {
    const pebble = await authority({ reuse: 100 });
    const { ctx, store, passMs } = agentOf(pebble);
    const wanted = wish(freshName());
    for (let issued = 0; issued < 4; issued += 1) {
      await obtain(ctx, store, wanted, noProgress);
      await store.dropOrder(wanted.domain, false);
      passMs(HOUR);
    }
    await expect(obtain(ctx, store, wanted, noProgress)).rejects.toThrow("next try");
    expect(ordersIn(pebble)).toBe(4);
    passMs(7 * 24 * HOUR - 4 * HOUR + 60_000);
    await expect(obtain(ctx, store, wanted, noProgress)).resolves.toHaveProperty("chain");
  });

  it("wait as long as the authority asks for, and the command does not sleep meanwhile", async () => {
    const busy = await startBusyAuthority(7_200);
    stops.push(busy.stop);
    const pebble = await authority();
    const { ctx, store, passMs } = agentOf({ ...pebble, ...busy });
    const began = Date.now();
    const attempt = () => obtain(ctx, store, wish(freshName()), noProgress);
    const refusal: Error = await attempt().then(
      () => new Error("it was given"),
      (error) => error,
    );
    expect(refusal).toMatchObject({ code: "unavailable", retryable: false });
    const next = Date.parse(/possible at (\S+)$/.exec(refusal.message)?.[1] ?? "");
    expect(Math.round((next - began) / 60_000)).toBe(120);
    const heard = busy.heard();
    passMs(1.9 * HOUR);
    await expect(attempt()).rejects.toThrow("next try");
    expect(busy.heard()).toBe(heard);
    passMs(0.2 * HOUR);
    await expect(attempt()).rejects.toThrow("next try");
    expect(busy.heard()).toBeGreaterThan(heard);
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it.each(["the authority took the order", "every name is confirmed", "the certificate is here"])(
    "killed at “%s”, the next run goes on with the same order and the same key",
    async (line) => {
      const pebble = await authority();
      const { ctx, store, settings } = agentOf(pebble);
      const wanted = wish(freshName(), freshName());
      const entry = resolve(import.meta.dirname, "test-order.ts");
      const argument = JSON.stringify({ settings, wanted });
      const child = spawn(process.execPath, [entry, argument], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const closed = once(child, "close");
      let said = "";
      for await (const text of createInterface({ input: child.stdout })) {
        said += `${text}\n`;
        if (text === line) child.kill("SIGKILL");
      }
      await closed;
      expect(child.signalCode, said).toBe("SIGKILL");
      const kept = await store.order(wanted.domain, false);
      const { chain, key } = await obtain(ctx, store, wanted, noProgress);
      expect(ordersIn(pebble)).toBe(1);
      expect(key).toBe(kept?.key);
      expect(new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect((await store.budget()).failures).toEqual([]);
      expect((await store.budget()).issued).toHaveLength(1);
    },
  );

  it("keep what a kill may have cost until it is known", async () => {
    const pebble = await authority();
    const { ctx, store } = agentOf(pebble);
    const name = freshName();
    server.misleadAuthority([name]);
    const abort = new AbortController();
    const stopped = { ...ctx, signal: abort.signal };
    const endedThere: Store = {
      ...store,
      keepBudget: async (budget) => {
        await store.keepBudget(budget);
        if (budget.failures.length > 0) abort.abort();
      },
    };
    await expect(obtain(stopped, endedThere, wish(name), noProgress)).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(
      JSON.parse(readFileSync(join(ctx.settings.certificates.dir, "budget.json"), "utf8")),
    ).toMatchObject({
      failures: [{ name }],
    });
  });
});
