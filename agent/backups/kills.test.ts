import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { BackupFacts } from "../../shared/agent-protocol/backups.ts";
import { bundled } from "../testing/bundle.ts";
import { faulted } from "../testing/faulted.ts";
import { needs } from "../testing/needs.ts";
import { listBackups, removeBackups } from "./remove.ts";
import { runBackup } from "./run.ts";
import { archiveOf, knownOf, TestServer } from "./testing/server.ts";
import { uploadBackup } from "./upload.ts";

const quiet = () => undefined;

needs(
  "tar",
  "zstd",
  "age",
)("a command about backups", () => {
  let server: TestServer;
  let door: Server;
  let url = "";
  beforeAll(async () => {
    server = new TestServer();
    // The edge as it is over the wire.
    door = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const { method = "GET", headers } = request;
      const init = { method, headers: headers as Record<string, string>, body };
      const answer = await server.edge.fetch(request.url ?? "", init);
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    });
    door.listen(0, "127.0.0.1");
    await once(door, "listening");
    url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    door.close();
    door.closeAllConnections();
    server.remove();
  });

  const cutOff = async (
    mode: "kill" | "full" | "files",
    call: number,
    type: string,
    input: object,
  ) => {
    const file = server.at(`order-${randomUUID()}.json`);
    const settings = { ...server.ctx.settings, url };
    writeFileSync(file, JSON.stringify({ settings, type, input }));
    const entry = bundled(resolve(import.meta.dirname, "testing/child.ts"));
    return await faulted(mode, call, { entry, args: [file] });
  };

  /** All that a backup is on the disk. */
  const onDisk = (facts: BackupFacts) =>
    [facts.file, archiveOf(facts)]
      .filter(existsSync)
      .map((file) => [
        basename(file),
        createHash("sha256").update(readFileSync(file)).digest("hex"),
      ]);
  const left = () =>
    [...readdirSync(server.at("backups")), ...readdirSync(server.at("scratch"))].filter((name) =>
      name.startsWith("."),
    );

  it("backup.upload, killed at any of its calls, has the whole copy in R2 when it comes again, and loses none", async () => {
    const facts = await server.backUp(server.site().target);
    const before = onDisk(facts);
    let count = 0;
    // Between the answer to a call and the next call nothing changes.
    for (let call = 1; ; call += call === 1 ? 1 : 2) {
      server.edge.uploads.clear();
      const { hit, signal, calls, stdout } = await cutOff(
        "kill",
        call,
        "backup.upload",
        knownOf(facts),
      );
      if (!hit) {
        expect(JSON.parse(stdout)).toMatchObject({ ok: true });
        break;
      }
      expect(signal, calls.at(-1) ?? "").toBe("SIGKILL");
      const isTold = /^fetched .*\/verified$/.test(calls.at(-1) ?? "");
      expect(server.edge.uploads.get(facts.backupId)?.verified ?? false).toBe(isTold);
      await uploadBackup(server.ctx, knownOf(facts), quiet);
      const stored = server.edge.uploads.get(facts.backupId);
      expect(stored?.verified, calls.at(-1) ?? "").toBe(true);
      expect(stored?.object && readFileSync(archiveOf(facts)).equals(stored.object)).toBe(true);
      expect([onDisk(facts), left()]).toEqual([before, []]);
      count = call;
    }
    // Seven calls of the edge, before and after each.
    expect(count).toBeGreaterThanOrEqual(14);
  });

  it("backup.remove, killed at any of its calls, leaves no half of a backup and takes no other", async () => {
    const other = await server.backUp(server.site().target);
    const [one, two] = [
      await server.backUp(server.site().target),
      await server.backUp(server.site().target),
    ];
    const both = [one, two];
    const names = both.map(({ name }) => name);
    const files = [other, ...both].flatMap((facts) => [facts.file, archiveOf(facts)]);
    const contents = files.map((file) => readFileSync(file));
    const before = onDisk(other);
    let count = 0;
    for (let call = 1; ; call += 1) {
      for (const [at, file] of files.entries()) writeFileSync(file, contents[at] ?? "");
      const { hit, signal, calls, stdout } = await cutOff("kill", call, "backup.remove", { names });
      if (!hit) {
        expect(JSON.parse(stdout)).toMatchObject({ ok: true });
        break;
      }
      expect(signal, calls.at(-1) ?? "").toBe("SIGKILL");
      const { items, unreadable } = await listBackups(server.ctx);
      expect(unreadable).toEqual([]);
      // What is still on the list is whole.
      for (const facts of items) expect(onDisk(facts), calls.at(-1) ?? "").toHaveLength(2);
      await removeBackups(server.ctx, { names });
      expect(both.flatMap(onDisk), calls.at(-1) ?? "").toEqual([]);
      expect(onDisk(other)).toEqual(before);
      count = call;
    }
    expect(count).toBeGreaterThanOrEqual(6);
  });

  it.each(["full", "files"] as const)(
    "backup.run that cannot write or open (%s) leaves nothing of a backup, and says so",
    async (mode) => {
      const order = server.order(server.site().target);
      const before = [...readdirSync(server.at("backups")).sort(), ...left()];
      for (let call = 1; ; call += 1) {
        const { hit, calls, stdout } = await cutOff(mode, call, "backup.run", order);
        if (!hit) break;
        const error = mode === "full" ? { code: "disk_full" } : {};
        const words = calls.at(-1) ?? "";
        expect(JSON.parse(stdout), words).toMatchObject({ ok: false, error });
        expect([...readdirSync(server.at("backups")).sort(), ...left()], words).toEqual(before);
      }
      // The last one met no fault.
      await server.prove(await runBackup(server.ctx, order, quiet));
    },
  );
});
