import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentFacts, reportBody } from "../../shared/agent-protocol/index.ts";
import { testCtx } from "../testing/ctx.ts";
import { createMonitor, readFacts } from "./index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nusantarad-monitor-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const settings = () => ({
  stateDir: folder,
  services: "direct" as const,
  watch: ["nginx", "mariadb", "php8.2-fpm", "redis-server", "-option"],
  nginx: { pidFile: join(folder, "nginx.pid") },
  mariadb: { socket: join(folder, "mysqld.sock") },
  phpFpm: [{ version: "8.2", poolDir: folder, pidFile: join(folder, "php.pid") }],
});

describe("the monitor", () => {
  it("reports this very machine in the protocol's shape, rates from the second report on", async () => {
    let now = Date.parse("2026-11-21T12:00:00Z");
    const monitor = createMonitor(testCtx(settings(), { now: () => new Date(now) }));
    const first = reportBody.parse(await monitor.report());
    expect(first.host).toMatchObject({ cpuPercent: null, network: null });
    expect(first.host.memory.totalBytes).toBeGreaterThan(100_000_000);
    expect(first.host.memory.availableBytes).toBeLessThanOrEqual(first.host.memory.totalBytes);
    expect(first.host.disks.map(({ mount }) => mount)).toContain("/");
    for (const { usedPercent } of first.host.disks) expect(usedPercent).toBeGreaterThan(0);
    now += 60_000;
    const second = reportBody.parse(await monitor.report());
    expect(second.host.network?.receivedBytesPerSecond).toBeGreaterThanOrEqual(0);
  });

  it("tells of the certificates that end first where there are more than a report holds", async () => {
    const all = Array.from({ length: 700 }, (_, n) => ({
      domain: `s${n}.example`,
      notAfter: new Date(Date.UTC(2027, 0, 1, 0, 700 - n)).toISOString(),
    }));
    const watch = Array.from({ length: 80 }, (_, n) => `service${n}`);
    const ctx = testCtx({ ...settings(), watch });
    const report = await createMonitor(ctx, { certificates: async () => all }).report();
    const { certificates, services } = reportBody.parse(report);
    expect([certificates.length, services.length]).toEqual([500, 64]);
    expect(certificates[0]?.domain).toBe("s699.example");
    expect(certificates.map(({ domain }) => domain)).not.toContain("s0.example");
  });

  it("without systemd knows a service by its process or its socket", async () => {
    const given = settings();
    const statuses = async () => {
      const { services } = await createMonitor(testCtx(given)).report();
      return Object.fromEntries(services.map(({ name, status }) => [name, status]));
    };
    expect(await statuses()).toEqual({
      ...{ nginx: "inactive", mariadb: "inactive" },
      ...{ "php8.2-fpm": "inactive", "redis-server": "unknown" },
    });
    writeFileSync(given.nginx.pidFile, `${process.pid}\n`);
    writeFileSync(join(folder, "php.pid"), "4194305\n");
    const database = createServer((socket) => socket.end());
    await new Promise<void>((done) => database.listen(given.mariadb.socket, done));
    try {
      expect(await statuses()).toMatchObject({
        nginx: "active",
        mariadb: "active",
        "php8.2-fpm": "failed",
      });
    } finally {
      await new Promise((done) => database.close(done));
    }
  });

  it("without systemd counts how often a service was another process than a minute ago", async () => {
    const given = { ...settings(), watch: ["nginx", "mariadb"] };
    const monitor = createMonitor(testCtx(given));
    const restarts = async () =>
      (await monitor.report()).services.map((service) => service.restarts);
    const beAt = (socket: string) =>
      new Promise<Server>((done) => {
        const server = createServer((peer) => peer.end()).listen(socket, () => done(server));
      });
    const one = spawn("/usr/bin/sleep", ["60"]);
    const other = spawn("/usr/bin/sleep", ["60"]);
    let database = await beAt(given.mariadb.socket);
    try {
      writeFileSync(given.nginx.pidFile, `${one.pid}\n`);
      for (const _ of [1, 2]) expect(await restarts()).toEqual([0, 0]);
      writeFileSync(given.nginx.pidFile, `${other.pid}\n`);
      expect(await restarts()).toEqual([1, 0]);
      await new Promise((done) => database.close(done));
      database = await beAt(given.mariadb.socket);
      for (const _ of [1, 2]) expect(await restarts()).toEqual([1, 1]);
    } finally {
      one.kill();
      other.kill();
      await new Promise((done) => database.close(done));
    }
  });

  it("asks systemd for all services at once, and knows nothing where it does not answer", async () => {
    const asked: string[][] = [];
    const given = {
      ...settings(),
      services: "systemd" as const,
      watch: ["nginx", "mariadb", "a b", "--now"],
    };
    const ctx = testCtx(given, {
      run: async (program, args) => {
        asked.push([program, ...args]);
        const stdout = "NRestarts=3\nActiveState=active\n\nActiveState=failed\n";
        return { code: 0, stdout, stderr: "" };
      },
    });
    expect((await createMonitor(ctx).report()).services).toEqual([
      { name: "nginx", status: "active", restarts: 3 },
      { name: "mariadb", status: "failed" },
    ]);
    const words = ["show", "--property=ActiveState", "--property=NRestarts"];
    expect(asked).toEqual([["systemctl", ...words, "--", "nginx", "mariadb"]]);
    const deaf = testCtx(given, { run: () => Promise.reject(new Error("no systemd")) });
    expect((await createMonitor(deaf).report()).services).toMatchObject([
      { status: "unknown" },
      { status: "unknown" },
    ]);
  });

  it("costs a report nothing when certificates cannot be read", async () => {
    const ctx = testCtx(settings());
    const broken = createMonitor(ctx, {
      certificates: () => Promise.reject(new Error("unreadable")),
    });
    expect((await broken.report()).certificates).toEqual([]);
    const certificates = [{ domain: "toko.test", notAfter: "2027-01-01T00:00:00.000Z" }];
    const whole = createMonitor(ctx, { certificates: async () => certificates });
    expect(reportBody.parse(await whole.report()).certificates).toEqual(certificates);
  });
});

it("tells facts about this machine that the protocol takes", async () => {
  const facts = agentFacts.parse(await readFacts(testCtx(settings()).settings));
  expect(facts).toMatchObject({
    goos: "linux",
    goarch: process.arch,
    phpVersions: ["8.2"],
    sitesRoot: "/var/www",
  });
});
