import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../testing/needs.ts";
import { runBackup } from "./run.ts";
import { killed } from "./testing/kill.ts";
import { archiveOf, knownOf, TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(() => {
  server = new TestServer();
});
afterAll(() => server.remove());

const read = (root: string) => readFileSync(join(root, "index.html"), "utf8");
/** What lies beside the site's folder of what a restore puts there. */
const beside = (root: string) =>
  readdirSync(join(root, "..")).filter((name) => name.startsWith(`.${root.split("/").at(-1)}.`));
const many = () =>
  Object.fromEntries(
    Array.from({ length: 400 }, (_, i) => [`d${i % 20}/f${i}.txt`, `${i}`.repeat(2_000)]),
  );

needs(
  "tar",
  "zstd",
  "age",
)("an agent that is killed", () => {
  it("in the middle of a backup leaves none, and the repeat makes it", async () => {
    const { target } = server.site({ ...many(), "index.html": "a" });
    const order = server.order(target);
    const partial = server.at("backups", `.${order.backupId}.archive`);
    expect(await killed(server, "backup.run", order, () => existsSync(partial))).toBe("killed");
    expect(existsSync(server.at("backups", order.name))).toBe(false);
    const facts = await runBackup(server.ctx, order, () => undefined);
    await server.prove(facts);
    expect(existsSync(partial)).toBe(false);
  });

  it("in the middle of a proof leaves its scratch place, which the next proof removes", async () => {
    const { target } = server.site(many());
    const facts = await server.backUp(target);
    const scratch = server.at("scratch", `backup-${facts.backupId}`, "tree", "d3");
    await killed(server, "backup.prove", knownOf(facts), () => existsSync(scratch));
    const other = await server.backUp(server.site().target);
    await server.prove(other);
    expect(readdirSync(server.at("scratch"))).toEqual([]);
  });

  it("while it unpacks a restore has touched nothing, and the repeat ends it", async () => {
    const { root, target } = server.site({ ...many(), "index.html": "cadangan" });
    const facts = await server.backUp(target);
    writeFileSync(join(root, "index.html"), "hidup");
    const input = { ...knownOf(facts), restoreId: randomUUID(), target };
    const unpacking = join(root, "..", `.${target.domain}.restore`, "tree", "d3");
    expect(await killed(server, "backup.restore", input, () => existsSync(unpacking))).toBe(
      "killed",
    );
    expect(read(root)).toBe("hidup");
    await server.restore(facts, target, server.ctx, input.restoreId);
    expect([read(root), beside(root)]).toEqual(["cadangan", []]);
  });

  it.each<[string, (root: string, name: string) => void]>([
    [
      "between the two renames",
      (root, name) => renameSync(root, join(root, "..", `.${name}.before`)),
    ],
    [
      "after the swap, before it was read back",
      (root, name) => {
        renameSync(root, join(root, "..", `.${name}.before`));
        mkdirSync(root);
        writeFileSync(join(root, "index.html"), "setengah");
      },
    ],
  ])("%s: the old tree is what a repeat begins with, also one that is refused", async (_, kill) => {
    const { root, target } = server.site({ "index.html": "cadangan" });
    const facts = await server.backUp(target);
    writeFileSync(join(root, "index.html"), "hidup");
    kill(root, target.domain);
    const full = new TestServer();
    const ctx = {
      ...server.ctx,
      settings: {
        ...server.ctx.settings,
        backups: { ...server.ctx.settings.backups, reserveBytes: 2 ** 52 },
      },
    };
    full.remove();
    await expect(server.restore(facts, target, ctx)).rejects.toMatchObject({ code: "disk_full" });
    expect(read(root)).toBe("hidup");
    kill(root, target.domain);
    await server.restore(facts, target);
    expect([read(root), beside(root)]).toEqual(["cadangan", []]);
  });

  it("after the verified swap: a repeat only tidies up, and keeps what was written since", async () => {
    const { root, target } = server.site({ "index.html": "cadangan" });
    const facts = await server.backUp(target);
    const restoreId = randomUUID();
    mkdirSync(join(root, "..", `.${target.domain}.after-${restoreId}`));
    writeFileSync(join(root, "index.html"), "sesudahnya");
    await server.restore(facts, target, server.ctx, restoreId);
    expect([read(root), beside(root)]).toEqual(["sesudahnya", []]);
  });
});

needs(
  "tar",
  "zstd",
  "age",
)("a disk without room", () => {
  const small = () => {
    const it = new TestServer({ reserveBytes: 2 ** 52 });
    return it;
  };

  it("refuses a backup, a proof and a restore before anything is written", async () => {
    const full = small();
    const { target, root } = full.site();
    await expect(full.backUp(target)).rejects.toMatchObject({ code: "disk_full" });
    const roomy = {
      ...full.ctx,
      settings: {
        ...full.ctx.settings,
        backups: { ...full.ctx.settings.backups, reserveBytes: 0 },
      },
    };
    const facts = await runBackup(roomy, full.order(target), () => undefined);
    await expect(full.prove(facts)).rejects.toMatchObject({ code: "disk_full" });
    await expect(full.restore(facts, target)).rejects.toMatchObject({ code: "disk_full" });
    expect([readdirSync(full.at("scratch")), beside(root)]).toEqual([[], []]);
    full.remove();
  });

  const mounts = (dir: string, size: string) => {
    try {
      execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", dir], {
        stdio: "ignore",
      });
      return true;
    } catch {
      return false;
    }
  };

  it("that fills while a backup is written says so and keeps no half of it", async (context) => {
    const full = new TestServer();
    if (!mounts(full.at("backups"), "256k"))
      return context.skip("a file system of a size needs the right to mount");
    try {
      const noise = Buffer.from(
        Array.from({ length: 600_000 }, (_, i) => (i * i * 31 + (i >> 3)) % 251),
      );
      const { target } = full.site({
        "a.bin": noise,
        "b.bin": Buffer.from(noise.toReversed()),
        "c.bin": crypto.getRandomValues(Buffer.alloc(60_000)),
        ...Object.fromEntries(
          Array.from({ length: 10 }, (_, i) => [
            `r${i}`,
            crypto.getRandomValues(Buffer.alloc(60_000)),
          ]),
        ),
      });
      await expect(full.backUp(target)).rejects.toMatchObject({ code: "disk_full" });
      expect(readdirSync(full.at("backups"))).toEqual([]);
    } finally {
      execFileSync("/usr/bin/umount", [full.at("backups")]);
      full.remove();
    }
  });
});

needs(
  "tar",
  "zstd",
  "age",
)("a site that moves while it is read", () => {
  it("is backed up as it was read, says that it changed, and is proven all the same", async () => {
    const { root, target } = server.site({ "log.txt": "x".repeat(3_000_000), ...many() });
    let isDone = false;
    const writing = (async () => {
      while (!isDone) {
        appendFileSync(join(root, "log.txt"), "baris\n".repeat(2_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const facts = await server.backUp(target);
    isDone = true;
    await writing;
    await server.prove(facts);
  });
});

describe("what a backup may not reach", () => {
  it.each(["/etc", "/var/www/../../etc", "WWW", "WWW/../state"])(
    "a site's folder %s is refused",
    async (path) => {
      const { target } = server.site();
      const rootPath = path.replace("WWW", server.at("www"));
      await expect(server.backUp({ ...target, rootPath })).rejects.toMatchObject({
        code: "invalid",
      });
    },
  );

  it("a site's folder that is, or lies behind, a link is refused", async () => {
    const { target } = server.site();
    const secret = server.at("rahasia", "dalam");
    mkdirSync(secret, { recursive: true });
    symlinkSync(server.at("rahasia"), server.at("www", "tautan"));
    for (const rootPath of [server.at("www", "tautan"), server.at("www", "tautan", "dalam")]) {
      await expect(server.backUp({ ...target, rootPath })).rejects.toMatchObject({
        code: "invalid",
      });
    }
  });

  it("a backup's file that is a link is not followed", async () => {
    const { target } = server.site();
    const facts = await server.backUp(target);
    renameSync(archiveOf(facts), server.at("elsewhere"));
    symlinkSync(server.at("elsewhere"), archiveOf(facts));
    await expect(server.prove(facts)).rejects.toMatchObject({ code: "integrity" });
  });

  it.each([
    "../state/x.json",
    "nusantara_state_20260226_230101.json/../../x",
    "nusantara_site_../x_20260226_230101.json",
  ])("the name %s is no backup's", async (name) => {
    const known = { backupId: randomUUID(), name, manifestSha256: "0".repeat(64), remote: false };
    const { proveBackup } = await import("./prove.ts");
    await expect(proveBackup(server.ctx, known, () => undefined)).rejects.toMatchObject({
      code: "invalid",
    });
  });
});

describe("the privileged half", () => {
  it("backs up and restores sites that are on this server, and nothing else", async () => {
    const { VERBS } = await import("../root/verbs.ts");
    const { rootCtx } = await import("../root/root-ctx.ts");
    const verb = VERBS["site.backup"];
    const { target } = server.site();
    const order = (changes: object) => ({
      command: "backup.run",
      input: { ...server.order(target), ...changes },
    });
    expect(verb?.input.safeParse(order({})).success).toBe(true);
    expect(verb?.input.safeParse({ ...order({}), command: "backup.remove" }).success).toBe(false);
    expect(verb?.input.safeParse(order({ name: "../x.json" })).success).toBe(false);
    for (const other of [target, { kind: "state" }, { kind: "database", database: "toko" }]) {
      const asked = async () =>
        await verb?.run(rootCtx(server.ctx.settings), order({ target: other }));
      await expect(asked()).rejects.toMatchObject({ code: "not_found" });
    }
  });
});
