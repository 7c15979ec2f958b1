import { createPrivateKey, type X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import type { AgentCtx } from "../ctx.ts";
import { selfSigned } from "../relay/test-certificate.ts";
import { findSite, handlers as sites, useCertificate } from "../sites/index.ts";
import { bundled } from "../testing/bundle.ts";
import { faulted } from "../testing/faulted.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { startPebble, type TestPebble } from "../testing/pebble.ts";
import { handlers } from "./index.ts";
import { openStore } from "./store.ts";

const noProgress = () => undefined;
const DAY_MS = 86_400_000;
/** Calls between which something is on the disk, at the authority or with nginx that was not before. */
const POINTS = [
  "^rename .*orders",
  "^rename .*challenges",
  "^open .*chain\\.pem",
  "^rename .*live",
  "^rename .*\\.conf\\.new",
];

needs(
  "nginx",
  "pebble",
  "root",
)("a renewal that is killed", () => {
  let machine: Machine;
  let authority: TestPebble;
  let ctx: AgentCtx;
  let settingsFile = "";
  beforeAll(async () => {
    machine = await startMachine();
    const { httpPort } = machine.settings.nginx;
    authority = await startPebble({ httpPort, nonceReject: 0 });
    const { directoryUrl, caFile } = authority;
    const { certificates } = machine.settings;
    const settings = {
      ...machine.settings,
      certificates: { ...certificates, directoryUrl, stagingUrl: directoryUrl, caFile },
    };
    ctx = { ...machine.ctx, settings };
    settingsFile = join(machine.dir, "renewing.json");
    writeFileSync(settingsFile, JSON.stringify(settings), { mode: 0o600 });
  });
  afterAll(async () => {
    await authority?.stop();
    await machine?.stop();
  });

  /** A site whose certificate ends soon. */
  async function prepared(): Promise<SiteRef> {
    const site = machine.newSite();
    const input = sitesCommands["site.provision"].input.parse({ ...site, runtime: "static" });
    await sites["site.provision"](ctx, input, noProgress);
    const { cert, key } = selfSigned(new Date(Date.now() + 10 * DAY_MS));
    const { directoryUrl: directory, dir } = ctx.settings.certificates;
    const about = {
      v: 1 as const,
      directory,
      staging: false,
      email: "a@b.example",
      names: [site.domain],
    };
    const { certificateFile, keyFile } = await openStore(dir).add(site.domain, {
      chain: cert,
      key,
      about,
    });
    await useCertificate(ctx, { domain: site.domain, certificateFile, keyFile });
    return site;
  }

  const remove = (site: SiteRef) => sites["site.deprovision"](ctx, { ...site, removeFiles: true });

  /** What a visitor is shown: a whole certificate, old or new. */
  const shown = (domain: string) =>
    new Promise<X509Certificate | undefined>((resolved, rejected) => {
      const { listen: host, httpsPort: port } = ctx.settings.nginx;
      const socket = connect({ host, port, servername: domain, rejectUnauthorized: false }, () => {
        const certificate = socket.getPeerX509Certificate();
        socket.destroy();
        resolved(certificate);
      });
      socket.on("error", rejected);
    });

  const killedAfter = (call: string) => {
    const entry = bundled(resolve(import.meta.dirname, "../testing/act.ts"));
    return faulted("kill", `after ${call}`, {
      entry,
      args: [settingsFile, "ssl.renew", '{"daysLeft":30}', "-"],
    });
  };

  /** Everything of the certificates' folder and the challenges' that is no whole version, account or budget. */
  const left = () => {
    const { dir, challengeDir } = ctx.settings.certificates;
    const kept = readdirSync(dir, { recursive: true, encoding: "utf8" });
    return [
      ...kept.filter((name) => /(?:^|\/)\.|\.new$|^orders\//.test(name)),
      ...readdirSync(challengeDir),
    ];
  };

  it("wherever it has come to, shows the old certificate or the new one, and is done once when it comes again", async () => {
    for (const point of POINTS) {
      const site = await prepared();
      const old = await shown(site.domain);
      const killed = await killedAfter(point);
      const words = `after ${point}`;
      expect(killed.signal, words).toBe("SIGKILL");
      const meanwhile = await shown(site.domain);
      const { renewed, failed } = await handlers["ssl.renew"](ctx, { daysLeft: 30 }, noProgress);
      const now = await shown(site.domain);
      expect(now?.fingerprint256, words).not.toBe(old?.fingerprint256);
      expect([old?.fingerprint256, now?.fingerprint256], words).toContain(
        meanwhile?.fingerprint256,
      );
      // Killed after its switch it was done already.
      const isDone = meanwhile?.fingerprint256 === now?.fingerprint256;
      expect([renewed, failed], words).toEqual([isDone ? [] : [site.domain], []]);
      const record = findSite(ctx.settings, site);
      const key = createPrivateKey(readFileSync(record?.certificate?.keyFile ?? ""));
      expect(now?.checkPrivateKey(key), words).toBe(true);
      const versions = await openStore(ctx.settings.certificates.dir).versions(site.domain);
      expect(versions.length, words).toBe(2);
      expect(left(), words).toEqual([]);
      await remove(site);
    }
  });
});
