import { execFileSync, spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { selfSigned } from "../relay/test-certificate.ts";
import { findAccount, processesOf } from "../root/accounts.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { dropCertificate, handlers, useCertificate } from "./handlers.ts";
import { vhostFile } from "./record.ts";
import { supervisorOf } from "./supervisor.ts";
import { socketFile } from "./unit.ts";
import { visit } from "./visit.ts";

const nothing = () => undefined;

needs(
  "nginx",
  "php-fpm",
  "root",
)("a site", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await startMachine({ php: true });
  });
  afterAll(async () => {
    await supervisorOf(machine.settings).endAll();
    await machine.stop();
  });

  type Given = Partial<Parameters<(typeof handlers)["site.provision"]>[1]>;
  const provision = async (given: Given = {}, ref: SiteRef = machine.newSite()) => {
    const input = sitesCommands["site.provision"].input.parse({
      ...{ ...ref, runtime: "static" },
      ...given,
    });
    const result = await handlers["site.provision"](machine.ctx, input, nothing);
    return { ...result, ref };
  };
  const accountOf = ({ unixUser }: SiteRef) => findAccount(machine.settings, unixUser);
  const put = (ref: SiteRef, name: string, text: string) => {
    const file = join(ref.rootPath, name);
    writeFileSync(file, text);
    const { uid = 0, gid = 0 } = accountOf(ref) ?? {};
    chownSync(file, uid, gid);
  };
  test("of files alone answers over HTTP at once, with a first page", async () => {
    const { site, httpStatus, ref } = await provision();
    expect({ ...site, httpStatus }).toMatchObject({ ...ref, suspended: false, httpStatus: 200 });
    expect((await machine.get(ref.domain)).body).toContain("Situs ini siap");
    expect(accountOf(ref)).toMatchObject({ comment: `nusantara ${ref.siteId}` });
    const { mode, uid } = statSync(ref.rootPath);
    expect([mode & 0o7777, uid]).toEqual([0o750, accountOf(ref)?.uid]);
  });

  test("in PHP runs as its own user, walled into its folder", async () => {
    const [one, other] = [await provision({ runtime: "php" }), await provision({ runtime: "php" })];
    put(other.ref, "secret.txt", "of the other");
    put(
      one.ref,
      "who.php",
      `<?php echo json_encode([posix_getuid(), function_exists('shell_exec'),
        @file_get_contents('/etc/hostname'), @file_get_contents('${other.ref.rootPath}/secret.txt'),
        strlen(tempnam(sys_get_temp_dir(), 'x')) > 0]);`,
    );
    const { body } = await machine.get(one.ref.domain, "/who.php?x=1");
    expect(JSON.parse(body)).toEqual([accountOf(one.ref)?.uid, false, false, false, true]);
    expect(accountOf(one.ref)?.uid).not.toBe(accountOf(other.ref)?.uid);
  });

  test("does not show another's files through a link, nor what begins with a dot", async () => {
    const [one, other] = [await provision(), await provision()];
    put(other.ref, "secret.txt", "of the other");
    put(one.ref, ".env", "KEY=1");
    const { uid = 0, gid = 0 } = accountOf(one.ref) ?? {};
    symlinkSync(join(other.ref.rootPath, "secret.txt"), join(one.ref.rootPath, "link.txt"));
    execFileSync("chown", ["-h", `${uid}:${gid}`, join(one.ref.rootPath, "link.txt")]);
    expect((await machine.get(one.ref.domain, "/link.txt")).status).toBe(404);
    expect((await machine.get(one.ref.domain, "/.env")).status).toBe(403);
    expect((await machine.get(other.ref.domain, "/secret.txt")).body).toBe("of the other");
  });

  test.each(["static", "php"] as const)(
    "in %s shows its .well-known, and within it nothing that begins with a dot",
    async (runtime) => {
      const { ref } = await provision({ runtime });
      for (const folder of [".well-known", ".well-known/.git", "a", "a/.well-known"]) {
        mkdirSync(join(ref.rootPath, folder));
        put(ref, `${folder}/x.txt`, `in ${folder}`);
      }
      put(ref, ".well-knownx", "KEY=1");
      expect((await machine.get(ref.domain, "/.well-known/x.txt")).body).toBe("in .well-known");
      for (const path of ["/.well-known/.git/x.txt", "/a/.well-known/x.txt", "/.well-knownx"]) {
        expect([path, (await machine.get(ref.domain, path)).status]).toEqual([path, 403]);
      }
    },
  );

  test("that is a process is reached by the web server alone: another's neither connects nor takes its place", async () => {
    const { ref } = await provision({ runtime: "node" });
    const other = accountOf((await provision({ runtime: "node" })).ref);
    const socket = socketFile(machine.settings, ref.unixUser);
    const tried = (script: string) =>
      spawnSync(process.execPath, ["-e", script, socket], {
        ...{ uid: other?.uid ?? 0, gid: other?.gid ?? 0, cwd: "/", encoding: "utf8" },
      }).stderr;
    const connects = `require("node:net").connect(process.argv[1])
      .on("error", ({ code }) => console.error(code)).on("connect", () => console.error("open"));`;
    const replaces = `require("node:fs").rmSync(process.argv[1])`;
    expect(tried(connects)).toBe("EACCES\n");
    expect(tried(replaces)).toContain("EACCES");
    const uid = accountOf(ref)?.uid ?? 0;
    const [pid = 0] = await processesOf(uid);
    const ports = readFileSync(`/proc/${pid}/net/tcp`, "utf8").split("\n");
    const listening = ports.filter((line) => line.split(/\s+/)[4] === "0A");
    expect(listening.filter((line) => line.split(/\s+/)[8] === String(uid))).toEqual([]);
    expect((await machine.get(ref.domain)).body).toBe("Situs ini siap\n");
  });

  test.each(["node", "python"] as const)(
    "in %s is a process of its own user, started again when it ends",
    async (runtime) => {
      const { httpStatus, ref } = await provision({ runtime });
      expect(httpStatus).toBe(200);
      expect((await machine.get(ref.domain)).body).toBe("Situs ini siap\n");
      const uid = accountOf(ref)?.uid ?? 0;
      const [pid = 0] = await processesOf(uid);
      process.kill(pid, "SIGKILL");
      await expect
        .poll(async () => (await machine.get(ref.domain)).status, { timeout: 5_000 })
        .toBe(200);
      expect(supervisorOf(machine.settings).starts(ref.unixUser)).toBe(2);
      await handlers["site.suspend"](machine.ctx, ref);
      expect(await processesOf(uid)).toEqual([]);
      expect((await machine.get(ref.domain)).status).toBe(503);
      await handlers["site.deprovision"](machine.ctx, { ...ref, removeFiles: true });
      expect(existsSync(ref.rootPath)).toBe(false);
    },
  );

  test("that is suspended answers 503 to every path, and comes back", async () => {
    const { ref } = await provision({ runtime: "php" });
    const { site } = await handlers["site.suspend"](machine.ctx, ref);
    expect(site.suspended).toBe(true);
    for (const path of ["/", "/index.php", "/none"]) {
      expect((await machine.get(ref.domain, path)).status).toBe(503);
    }
    expect(readdirSync(machine.php?.poolDir ?? "")).not.toContain(`nusantara-${ref.unixUser}.conf`);
    await handlers["site.resume"](machine.ctx, ref);
    expect((await machine.get(ref.domain)).status).toBe(200);
  });

  test("serves another folder from one request to the next; one that is not there changes nothing", async () => {
    const { ref } = await provision();
    mkdirSync(join(ref.rootPath, "r2"));
    put(ref, "r2/index.html", "versi 2");
    const to = (documentRoot: string) =>
      handlers["site.set-document-root"](machine.ctx, { ...ref, documentRoot });
    expect((await to("r2")).site.documentRoot).toBe("r2");
    expect((await machine.get(ref.domain)).body).toBe("versi 2");
    await expect(to("r3")).rejects.toMatchObject({ code: "not_found" });
    expect((await machine.get(ref.domain)).body).toBe("versi 2");
    await to("");
    expect((await machine.get(ref.domain)).body).toContain("Situs ini siap");
  });

  test("that is taken away leaves nothing; its files only where they are to stay, and then nobody gets in", async () => {
    const [gone, kept] = [await provision({ runtime: "php" }), await provision()];
    put(kept.ref, "foto.txt", "foto");
    // What a restore that was cut off leaves beside a site.
    const rest = gone.ref.rootPath.replace(/[^/]*$/, ".$&.before");
    mkdirSync(rest);
    const remove = (ref: SiteRef, removeFiles: boolean) =>
      handlers["site.deprovision"](machine.ctx, { ...ref, removeFiles });
    expect(await remove(gone.ref, true)).toEqual({ removedFiles: true });
    expect(await remove(kept.ref, false)).toEqual({ removedFiles: false });
    for (const { ref } of [gone, kept]) {
      expect((await machine.get(ref.domain)).body).toBe("no such site");
      expect(accountOf(ref)).toBeNull();
      expect(existsSync(join(machine.settings.sites.dataDir, ref.unixUser))).toBe(false);
    }
    expect([existsSync(gone.ref.rootPath), existsSync(rest)]).toEqual([false, false]);
    const { mode, uid } = statSync(kept.ref.rootPath);
    expect([mode & 0o7777, uid]).toEqual([0o700, 0]);
    // Again, and by somebody who names another's user: nothing is there that would be his.
    await remove({ ...machine.newSite(), unixUser: (await provision()).ref.unixUser }, true);
    expect(await remove(kept.ref, true)).toEqual({ removedFiles: false });
    const again = { ...machine.newSite(), rootPath: kept.ref.rootPath };
    await provision({}, again);
    expect((await machine.get(again.domain, "/foto.txt")).body).toBe("foto");
    expect(statSync(join(again.rootPath, "foto.txt")).uid).toBe(accountOf(again)?.uid);
  });

  test("is not made over somebody else's folder, user or domain, nor outside the folder of sites", async () => {
    const { ref } = await provision();
    const other = machine.newSite();
    const { sitesRoot } = machine.settings;
    mkdirSync(join(sitesRoot, "theirs"));
    writeFileSync(join(sitesRoot, "theirs", "file"), "");
    symlinkSync("/etc", join(sitesRoot, "out"));
    const before = readdirSync(machine.nginx.sitesDir);
    const cases: [Partial<SiteRef> & Given, string][] = [
      [{ domain: ref.domain }, "conflict"],
      [{ aliases: [ref.domain] }, "conflict"],
      [{ unixUser: ref.unixUser }, "conflict"],
      [{ unixUser: "root" }, "conflict"],
      [{ rootPath: ref.rootPath }, "conflict"],
      [{ rootPath: `${ref.rootPath}/in` }, "conflict"],
      [{ rootPath: `${sitesRoot}/theirs` }, "conflict"],
      [{ rootPath: `${sitesRoot}/out/x` }, "invalid"],
      [{ rootPath: "/etc/nginx" }, "invalid"],
      [{ rootPath: sitesRoot }, "invalid"],
    ];
    for (const [given, code] of cases) {
      await expect(
        provision(given, { ...other, ...given }),
        JSON.stringify(given),
      ).rejects.toMatchObject({ code });
    }
    expect(readdirSync(machine.nginx.sitesDir)).toEqual(before);
    expect(accountOf(other)).toBeNull();
    expect(existsSync("/etc/x")).toBe(false);
  });

  test("is told of by id and by any of its names", async () => {
    const { ref, site } = await provision({ aliases: ["www.lain.example"], note: "lumbung 1" });
    const inspect = handlers["site.inspect"];
    for (const by of [
      { siteId: ref.siteId },
      { domain: ref.domain },
      { domain: "www.lain.example" },
    ]) {
      expect(await inspect(machine.ctx, by)).toEqual({ site });
    }
    expect(await inspect(machine.ctx, { domain: "none.example" })).toEqual({ site: null });
    expect(site).toMatchObject({ note: "lumbung 1", aliases: ["www.lain.example"] });
    expect((await machine.get("www.lain.example")).status).toBe(200);
  });

  test("ordered ten times is made once", async () => {
    const first = await provision({ runtime: "php" });
    const file = vhostFile(machine.settings, first.ref.siteId);
    const { ino, mtimeMs } = statSync(file);
    for (let turn = 0; turn < 9; turn += 1) {
      const { site } = await provision({ runtime: "php" }, first.ref);
      expect(site).toEqual(first.site);
    }
    expect(statSync(file)).toMatchObject({ ino, mtimeMs });
  });

  test("is served with a certificate of the agent's folder alone, and without it again", async () => {
    const { ref } = await provision();
    const { dir } = machine.settings.certificates;
    mkdirSync(dir, { recursive: true });
    const { cert, key } = selfSigned();
    const files = {
      certificateFile: join(dir, `${ref.unixUser}.pem`),
      keyFile: join(dir, `${ref.unixUser}.key`),
    };
    writeFileSync(files.certificateFile, cert);
    writeFileSync(files.keyFile, key, { mode: 0o600 });
    await useCertificate(machine.ctx, { domain: ref.domain, ...files });
    const ask = { domain: ref.domain, path: "/", timeoutMs: 5_000 };
    expect((await visit(machine.settings, { ...ask, tls: true })).status).toBe(200);
    expect(await visit(machine.settings, ask)).toMatchObject({
      status: 301,
      location: `https://${ref.domain}/`,
    });
    for (const foreign of ["/etc/passwd", `${dir}/none.pem`, `${dir}/../x.pem`]) {
      const wrong = { domain: ref.domain, ...files, certificateFile: foreign };
      await expect(useCertificate(machine.ctx, wrong)).rejects.toThrow();
    }
    writeFileSync(join(dir, "bad.pem"), "not a certificate");
    const broken = { domain: ref.domain, ...files, certificateFile: join(dir, "bad.pem") };
    await expect(useCertificate(machine.ctx, broken)).rejects.toMatchObject({
      code: "broken_config",
    });
    expect((await visit(machine.settings, { ...ask, tls: true })).status).toBe(200);
    await dropCertificate(machine.ctx, { domain: ref.domain });
    expect((await visit(machine.settings, ask)).status).toBe(200);
  });

  test("answers challenges of a certificate authority also while it is suspended", async () => {
    const { ref } = await provision({ suspended: true });
    writeFileSync(join(machine.settings.certificates.challengeDir, "token-1"), "token-1.thumb");
    const answer = await machine.get(ref.domain, "/.well-known/acme-challenge/token-1");
    expect(answer).toMatchObject({ status: 200, body: "token-1.thumb" });
    expect((await machine.get(ref.domain)).status).toBe(503);
  });
});
