import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";

import { BACKUP_PART_BYTES } from "../../shared/agent-protocol/backups.ts";
import { needs } from "../testing/needs.ts";
import { listBackups, removeBackups } from "./remove.ts";
import { archiveOf, knownOf, TestServer } from "./testing/server.ts";
import { uploadBackup } from "./upload.ts";

let server: TestServer;
beforeEach(() => {
  server = new TestServer();
  onTestFinished(() => server.remove());
});
const quiet = () => undefined;
const noise = (bytes: number) => {
  const out = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 32)
    createHash("sha256").update(String(at)).digest().copy(out, at);
  return out;
};

needs(
  "tar",
  "zstd",
  "age",
)("a backup's copy in R2", () => {
  it("is sent in parts, goes on where it was cut off, and is read back before it counts", async () => {
    const facts = await server.backUp(
      server.site({ "a.bin": noise(2 * BACKUP_PART_BYTES + 5_000) }).target,
    );
    let isCut = true;
    server.edge.onCall = (method, path) =>
      isCut && method === "PUT" && path.endsWith("/parts/3")
        ? Response.json({ error: "no" }, { status: 400 })
        : undefined;
    await expect(uploadBackup(server.ctx, knownOf(facts), quiet)).rejects.toMatchObject({
      code: "invalid",
    });
    expect(server.edge.uploads.get(facts.backupId)).toMatchObject({ verified: false });
    isCut = false;
    expect(await uploadBackup(server.ctx, knownOf(facts), quiet)).toEqual({
      bytes: facts.bytes,
      parts: 3,
      sentParts: 1,
    });
    const stored = server.edge.uploads.get(facts.backupId);
    expect(stored?.verified).toBe(true);
    expect(stored?.object && readFileSync(archiveOf(facts)).equals(stored.object)).toBe(true);
    expect(await uploadBackup(server.ctx, knownOf(facts), quiet)).toMatchObject({ sentParts: 0 });
  });

  it("does not count when R2 gives back another byte", async () => {
    const facts = await server.backUp(server.site().target);
    server.edge.onCall = (method, path) => {
      const upload = server.edge.uploads.get(facts.backupId);
      if (method === "GET" && path.endsWith("/object") && upload?.object)
        upload.object[9] = (upload.object[9] ?? 0) ^ 1;
      return undefined;
    };
    await expect(uploadBackup(server.ctx, knownOf(facts), quiet)).rejects.toMatchObject({
      code: "integrity",
    });
    expect(server.edge.uploads.get(facts.backupId)).toMatchObject({ verified: false });
  });

  it("outlives calls that break and an edge that is busy", async () => {
    const facts = await server.backUp(server.site().target);
    let calls = 0;
    server.edge.onCall = () => {
      calls += 1;
      if (calls % 3 === 1) throw new TypeError("the connection broke");
      return calls % 3 === 2 ? Response.json({ error: "later" }, { status: 503 }) : undefined;
    };
    await uploadBackup(server.ctx, knownOf(facts), quiet);
    expect(server.edge.uploads.get(facts.backupId)).toMatchObject({ verified: true });
  }, 30_000);

  it("heals a disk's copy that is gone or damaged, and what it brings is checked like any other", async () => {
    const { root, target } = server.site({ "index.html": "asli" });
    const facts = await server.backUp(target);
    await uploadBackup(server.ctx, knownOf(facts), quiet);
    appendFileSync(archiveOf(facts), "x");
    await expect(server.prove(facts)).rejects.toMatchObject({ code: "integrity" });
    const { proveBackup } = await import("./prove.ts");
    expect(await proveBackup(server.ctx, knownOf(facts, true), quiet)).toMatchObject({
      healed: true,
    });
    expect(await server.prove(facts)).toMatchObject({ healed: false });
    rmSync(archiveOf(facts));
    rmSync(facts.file);
    const upload = server.edge.uploads.get(facts.backupId);
    if (upload?.object) upload.object[3] = (upload.object[3] ?? 0) ^ 8;
    await expect(proveBackup(server.ctx, knownOf(facts, true), quiet)).rejects.toMatchObject({
      code: "integrity",
    });
    if (upload?.object) upload.object[3] = (upload.object[3] ?? 0) ^ 8;
    writeFileSync(join(root, "index.html"), "rusak");
    const { restoreBackup } = await import("./restore.ts");
    await restoreBackup(
      server.ctx,
      { ...knownOf(facts, true), restoreId: crypto.randomUUID(), target },
      quiet,
    );
    expect(readFileSync(join(root, "index.html"), "utf8")).toBe("asli");
  });
});

needs("zstd", "age")("a backup of the panel's state", () => {
  const target = { kind: "state" as const };

  it("holds what the edge gave, is proven by it, and goes back to it", async () => {
    const facts = await server.backUp(target);
    expect(facts).toMatchObject({
      kind: "state",
      subject: "",
      counts: { sites: 1 },
      plainSha256: expect.any(String),
    });
    await server.prove(facts);
    await server.restore(facts, target);
    expect(server.edge.restored).toEqual([server.edge.state.text]);
  });

  it("is not made of half an answer", async () => {
    const text = server.edge.state.text;
    server.edge.onCall = (_, path) =>
      path.endsWith("/state")
        ? new Response(text.slice(0, 20), {
            headers: {
              "x-backup-schema": "1",
              "x-backup-counts": "{}",
              "x-backup-sha256": createHash("sha256").update(text).digest("hex"),
            },
          })
        : undefined;
    await expect(server.backUp(target)).rejects.toMatchObject({ code: "unavailable" });
    expect((await listBackups(server.ctx)).items).toEqual([]);
  });

  it("is no success where the edge refuses it, or counts other rows", async () => {
    const facts = await server.backUp(target);
    server.edge.state.counts = { sites: 2 };
    await expect(server.prove(facts)).rejects.toMatchObject({ code: "integrity" });
    server.edge.onCall = (method) =>
      method === "POST"
        ? Response.json({ error: "jobs of sites are under way" }, { status: 409 })
        : undefined;
    await expect(server.restore(facts, target)).rejects.toMatchObject({ code: "conflict" });
  });
});

needs(
  "tar",
  "zstd",
  "age",
)("the folder's list", () => {
  it("shows whole backups newest first and names what is not this server's apart; removing is repeatable", async () => {
    const [first, second] = [
      await server.backUp(server.site().target),
      await server.backUp(server.site().target),
    ];
    const other = await server.backUp(server.site().target);
    writeFileSync(other.file, readFileSync(other.file, "utf8").replace('"files":1', '"files":2'));
    const listed = await listBackups(server.ctx);
    expect(listed.items).toEqual([second, first]);
    expect(listed.unreadable).toEqual([other.file]);
    for (let times = 0; times < 2; times += 1) {
      expect(await removeBackups(server.ctx, { names: [first.name] })).toEqual({
        removed: [first.name],
      });
    }
    expect((await listBackups(server.ctx)).items).toEqual([second]);
    await expect(server.prove(first)).rejects.toMatchObject({ code: "not_found" });
  });

  it("without the operator's key there is no backup", async () => {
    const { recipient: _, ...backups } = server.ctx.settings.backups;
    const ctx = { ...server.ctx, settings: { ...server.ctx.settings, backups } };
    const { runBackup } = await import("./run.ts");
    await expect(runBackup(ctx, server.order(server.site().target), quiet)).rejects.toMatchObject({
      code: "broken_config",
    });
  });
});
