import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AgentCtx } from "../ctx.ts";
import { hostileValues } from "../databases/testing.ts";
import { selfSigned } from "../relay/test-certificate.ts";
import { findSite, handlers as sites } from "../sites/index.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { startPebble, type TestPebble } from "../testing/pebble.ts";
import { handlers, listCertificates } from "./index.ts";
import { openStore } from "./store.ts";

const DAY = 86_400_000;
const email = "admin@example.com";
const noProgress = () => undefined;

needs(
  "nginx",
  "pebble",
  "root",
)("certificates on a real nginx", () => {
  let machine: Machine;
  let live: TestPebble;
  let staging: TestPebble;
  let ctx: AgentCtx;
  let offsetMs = 0;

  beforeAll(async () => {
    machine = await startMachine();
    const httpPort = machine.settings.nginx.httpPort;
    [live, staging] = await Promise.all([startPebble({ httpPort }), startPebble({ httpPort })]);
    const certificates = {
      ...machine.settings.certificates,
      directoryUrl: live.directoryUrl,
      stagingUrl: staging.directoryUrl,
      caFile: live.caFile,
    };
    const settings = { ...machine.settings, certificates };
    ctx = { ...machine.ctx, settings, now: () => new Date(Date.now() + offsetMs) };
  });
  afterAll(async () => {
    await Promise.all([live?.stop(), staging?.stop()]);
    await machine?.stop();
  });

  const newSite = async (aliases: string[] = []) => {
    const site = machine.newSite();
    await sites["site.provision"](
      ctx,
      {
        ...site,
        aliases,
        documentRoot: "",
        runtime: "static",
        suspended: false,
        note: "",
        lastDay: null,
      },
      noProgress,
    );
    return site;
  };
  const issue = (
    { siteId, domain }: { siteId: string; domain: string },
    more: { aliases?: string[]; staging?: boolean } = {},
  ) => {
    const input = { siteId, domain, email, aliases: [], staging: false, ...more };
    return handlers["ssl.issue"](ctx, input, noProgress);
  };

  /** A browser's own handshake: whom it is from counts, and the name. */
  const visitor = async (domain: string, pebble: TestPebble) => {
    const ca = await pebble.root();
    return await new Promise<{ serial: string; error: string | null }>((resolve, reject) => {
      const { listen: host, httpsPort: port } = ctx.settings.nginx;
      const options = { host, port, servername: domain, ca, rejectUnauthorized: false };
      const socket = connect(options, () => {
        const serial = socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? "";
        const error = socket.authorized ? null : String(socket.authorizationError);
        socket.destroy();
        resolve({ serial, error });
      });
      socket.on("error", reject);
    });
  };

  it("make a site answer over TLS with a chain that a browser trusts, once for ten deliveries", async () => {
    const alias = `www.${machine.newSite().domain}`;
    const site = await newSite([alias]);
    const first = await issue(site, { aliases: [alias] });
    expect(first).toMatchObject({
      issued: true,
      certificate: { domain: site.domain, staging: false },
    });
    expect(first.certificate.names).toEqual([site.domain, alias]);
    for (const name of [site.domain, alias]) {
      expect(await visitor(name, live)).toEqual({ serial: first.certificate.serial, error: null });
    }
    for (let delivery = 0; delivery < 9; delivery += 1) {
      const again = await issue(site, { aliases: [alias] });
      expect(again).toEqual({ issued: false, certificate: first.certificate });
    }
    expect(live.said().split(site.domain).length).toBeGreaterThan(1);
    const plain = await machine.get(site.domain);
    expect(plain.status).toBe(301);
  });

  it("are shown to nobody who asks for another name, save where the operator has a default server", async () => {
    const site = await newSite();
    const { certificate } = await issue(site);
    const ofSite = { serial: certificate.serial, error: null };
    expect(await visitor(site.domain, live)).toEqual(ofSite);
    for (const name of ["situs-lain.example", ""]) {
      await expect(visitor(name, live)).rejects.toThrow(/unrecognized name/);
    }
    const { nginx, settings } = machine;
    const theirs = join(nginx.dir, "conf.d", "zz-theirs.conf");
    const { cert, key } = selfSigned();
    for (const [name, text] of [
      ["c", cert],
      ["k", key],
    ] as const) {
      writeFileSync(join(nginx.dir, name), text);
    }
    const listens = `listen ${settings.nginx.listen}:${settings.nginx.httpsPort} ssl default_server;`;
    const files = `ssl_certificate ${nginx.dir}/c; ssl_certificate_key ${nginx.dir}/k;`;
    writeFileSync(theirs, `server { ${listens} ${files} return 204; }\n`);
    try {
      // Any change has nginx test and read all of it again.
      await sites["site.set-last-day"](ctx, { ...site, lastDay: "2030-01-01" });
      expect((await visitor("situs-lain.example", live)).error).not.toBeNull();
      expect(await visitor(site.domain, live)).toEqual(ofSite);
    } finally {
      rmSync(theirs);
      await sites["site.set-last-day"](ctx, { ...site, lastDay: null });
    }
    await expect(visitor("situs-lain.example", live)).rejects.toThrow(/unrecognized name/);
  });

  it("keep key and chain together in one folder that is the agent's alone", async () => {
    const site = await newSite();
    await issue(site);
    const record = findSite(ctx.settings, { siteId: site.siteId });
    const { keyFile = "", certificateFile = "" } = record?.certificate ?? {};
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(keyFile, "..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(certificateFile, "..")).sort()).toEqual([
      "about.json",
      "chain.pem",
      "key.pem",
    ]);
    expect(readFileSync(keyFile, "utf8")).toContain("BEGIN PRIVATE KEY");
    expect(machine.ctx.lines.join()).not.toContain("PRIVATE KEY");
  });

  it("are for sites of this server alone: 3,000 hostile names are refused with nobody asked", async () => {
    const site = await newSite();
    const before = live.said().length;
    for (const domain of [...hostileValues(3_000, 7), "stranger.example", `x.${site.domain}`]) {
      await expect(issue({ ...site, domain }), domain).rejects.toMatchObject({ code: "not_found" });
    }
    await expect(issue(site, { aliases: ["stranger.example"] })).rejects.toMatchObject({
      code: "not_found",
    });
    const unknown = { ...site, siteId: machine.newSite().siteId };
    await expect(issue(unknown)).rejects.toMatchObject({ code: "not_found" });
    expect(live.said().length).toBe(before);
  });

  it("come from the test system on request, and then from the real one", async () => {
    const site = await newSite();
    const tried = await issue(site, { staging: true });
    expect(tried.certificate.staging).toBe(true);
    expect(await visitor(site.domain, staging)).toMatchObject({ error: null });
    const real = await issue(site);
    expect(real).toMatchObject({ issued: true, certificate: { staging: false } });
    expect(await visitor(site.domain, live)).toMatchObject({ error: null });
    await issue(site, { staging: true });
    expect(await visitor(site.domain, live), "a test takes no trusted one away").toMatchObject({
      serial: real.certificate.serial,
      error: null,
    });
  });

  it("are renewed with a third of their life left, all that are due, and one failure holds up no other", async () => {
    const [good, bad] = [await newSite(), await newSite()];
    const [first] = [await issue(good), await issue(bad)];
    const early = await handlers["ssl.renew"](ctx, { daysLeft: 30 }, noProgress);
    expect(early).toMatchObject({ renewed: [], failed: [] });
    expect(early.certificates.map(({ domain }) => domain)).toContain(good.domain);
    const left = Date.parse(first.certificate.notAfter) - Date.now();
    offsetMs = left - 20 * DAY;
    const { challengeDir } = ctx.settings.certificates;
    const store = openStore(ctx.settings.certificates.dir);
    const budget = await store.budget();
    const failure = {
      at: ctx.now().getTime(),
      directory: live.directoryUrl,
      name: bad.domain,
      order: "x",
    };
    await store.keepBudget({ ...budget, failures: [failure] });
    const late = await handlers["ssl.renew"](ctx, { daysLeft: 30 }, noProgress);
    expect(late.renewed).toContain(good.domain);
    expect(late.failed).toEqual([
      { domain: bad.domain, message: expect.stringContaining("the next try is possible at") },
    ]);
    const shown = await visitor(good.domain, live);
    expect(shown.serial).not.toBe(first.certificate.serial);
    expect((await visitor(bad.domain, live)).error).toBeNull();
    expect(readdirSync(challengeDir)).toEqual([]);
    offsetMs = 0;
  });

  it("that were fetched by a run that was killed are put in use without asking again", async () => {
    const site = await newSite();
    const stopped = {
      ...ctx,
      root: () => Promise.reject(new Error("killed")),
    };
    const input = { siteId: site.siteId, domain: site.domain, email, aliases: [], staging: false };
    await expect(handlers["ssl.issue"](stopped, input, noProgress)).rejects.toThrow();
    const asked = live.said().split("Added order").length;
    const result = await issue(site);
    expect(result.issued).toBe(true);
    expect(live.said().split("Added order").length).toBe(asked);
    expect(await visitor(site.domain, live)).toMatchObject({ serial: result.certificate.serial });
  });

  it("are listed with issuer and last moment for the monitor", async () => {
    const site = await newSite();
    const { certificate } = await issue(site);
    expect(await listCertificates(ctx)).toContainEqual(certificate);
    const one = await handlers["ssl.inspect"](ctx, { domain: site.domain }, noProgress);
    expect(one.certificates).toEqual([certificate]);
    expect(certificate.issuer).toContain("Pebble Intermediate CA");
    await expect(
      handlers["ssl.inspect"](ctx, { domain: "stranger.example" }, noProgress),
    ).rejects.toMatchObject({ code: "not_found" });
  });
});
