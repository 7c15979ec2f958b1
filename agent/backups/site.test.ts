import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../testing/needs.ts";
import { archiveOf, TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(() => {
  server = new TestServer();
});
afterAll(() => server.remove());

/** Everything about a tree that a visitor or an owner could tell, by a program that shares no code with ours. */
const listing = (root: string): string =>
  execFileSync("/usr/bin/find", [root, "-printf", "%P %y %m %s %T@ %l %n\\n"], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.replace(/(\d{9,})\.\d+/, "$1"))
    .sort()
    .join("\n");
const sums = (root: string): string =>
  execFileSync(
    "/bin/sh",
    ["-c", 'cd "$0" && find . -type f -size -1000k -print0 | sort -z | xargs -0 sha256sum', root],
    { encoding: "utf8" },
  );

needs(
  "tar",
  "zstd",
  "age",
)("a site's backup", () => {
  it("brings every file back to the byte, with links, modes, times, holes and strange names", async () => {
    const { root, target } = server.site({
      "index.php": "<?php echo 1;",
      "a/b/c.bin": Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251)),
      "empty.txt": "",
      [`${"panjang/".repeat(20)}${"n".repeat(200)}.txt`]: "long",
    });
    writeFileSync(
      Buffer.concat([Buffer.from(`${root}/aneh \n`), Buffer.from([0xff, 0xfe])]),
      "bytes",
    );
    symlinkSync("/etc/passwd", join(root, "out"));
    symlinkSync(`../${"x".repeat(150)}`, join(root, "dangling"));
    linkSync(join(root, "index.php"), join(root, "hard.php"));
    writeFileSync(join(root, "holes"), "begin");
    truncateSync(join(root, "holes"), 10 * 1024 ** 3);
    chmodSync(join(root, "index.php"), 0o604);
    mkdirSync(join(root, "readonly"), { mode: 0o555 });
    utimesSync(join(root, "index.php"), 1_000_000_000, 1_000_000_000);
    const [before, contents] = [listing(root), sums(root)];

    const facts = await server.backUp(target);
    expect(facts.counts).toMatchObject({ links: 2 });
    expect(facts.bytes).toBeLessThan(400_000);
    writeFileSync(join(root, "index.php"), "defaced");
    writeFileSync(join(root, "new.php"), "added");
    execFileSync("/bin/rm", ["-r", join(root, "a")]);
    await server.restore(facts, target);

    expect(listing(root)).toBe(before);
    expect(sums(root)).toBe(contents);
    expect(statSync(join(root, "holes")).blocks).toBeLessThan(64);
    expect(statSync(join(root, "hard.php")).ino).toBe(statSync(join(root, "index.php")).ino);
  });

  it("stores a link that leads out as a link, and writes through none at a restore", async () => {
    const { root, target } = server.site({ "up/a.txt": "inside" });
    const outside = server.at("outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "a.txt"), "untouched");
    const facts = await server.backUp(target);
    execFileSync("/bin/rm", ["-r", join(root, "up")]);
    symlinkSync(outside, join(root, "up"));
    const withLink = await server.backUp(target);
    await server.restore(facts, target);
    expect(readFileSync(join(outside, "a.txt"), "utf8")).toBe("untouched");
    expect(lstatSync(join(root, "up")).isDirectory()).toBe(true);
    await server.restore(withLink, target);
    expect(readlinkSync(join(root, "up"))).toBe(outside);
    expect(readdirSync(outside)).toEqual(["a.txt"]);
  });

  it("is proven by a restore into a scratch place, which is gone afterwards", async () => {
    const { target } = server.site({ "a.txt": "a", "b/c.txt": "c" });
    const facts = await server.backUp(target);
    const proven = await server.prove(facts);
    expect(proven).toMatchObject({
      counts: { files: 2, directories: 2, links: 0, bytes: 2 },
      healed: false,
    });
    expect(proven.restoreMs).toBeGreaterThan(0);
    expect(readdirSync(server.at("scratch"))).toEqual([]);
  });

  it("can be opened by the operator alone, with the usual programs", async () => {
    const { target } = server.site({ "pesan.txt": "untuk operator" });
    const facts = await server.backUp(target);
    const script = 'age -d -i "$0" "$1" | zstd -d -q -c | tar -xO ./pesan.txt';
    const text = execFileSync("/bin/sh", ["-c", script, server.operatorKey, archiveOf(facts)], {
      encoding: "utf8",
    });
    expect(text).toBe("untuk operator");
    expect(readFileSync(archiveOf(facts)).includes("untuk operator")).toBe(false);
  });

  it("answers a repeated order with the same backup, and makes nothing again", async () => {
    const { target } = server.site();
    const order = server.order(target);
    const { runBackup } = await import("./run.ts");
    const first = await runBackup(server.ctx, order, () => undefined);
    const made = statSync(archiveOf(first)).ino;
    expect(await runBackup(server.ctx, order, () => undefined)).toEqual(first);
    expect(statSync(archiveOf(first)).ino).toBe(made);
    expect(existsSync(first.file)).toBe(true);
  });
});
