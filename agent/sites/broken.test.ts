import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { selfSigned } from "../relay/test-certificate.ts";
import { findAccount } from "../root/accounts.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { handlers } from "./handlers.ts";
import { findSite, vhostFile } from "./record.ts";

needs(
  "nginx",
  "php-fpm",
  "root",
)("with a web server that is not as it should be, a site", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await startMachine({ php: true });
  });
  afterAll(async () => await machine.stop());

  const provision = async (ref: SiteRef, runtime: "php" | "static" = "static") => {
    const input = sitesCommands["site.provision"].input.parse({ ...ref, runtime });
    await handlers["site.provision"](machine.ctx, input, () => undefined);
    return ref;
  };
  const nothingIsOf = (ref: SiteRef) => {
    expect(findSite(machine.settings, ref)).toBeNull();
    expect(findAccount(machine.settings, ref.unixUser)).toBeNull();
    expect(existsSync(ref.rootPath)).toBe(false);
  };
  const nginxIsFine = () =>
    execFileSync("/usr/sbin/nginx", ["-t", "-q", "-c", machine.nginx.configFile], {
      stdio: "ignore",
    });

  test("keeps working when nginx was broken by hand, and the error names the file", async () => {
    const ref = await provision(machine.newSite());
    const theirs = join(machine.nginx.dir, "conf.d", "theirs.conf");
    const text = "server { nonsense on; }\n";
    writeFileSync(theirs, text);
    const other = machine.newSite();
    try {
      for (const attempt of [
        () => provision(other, "php"),
        () => handlers["site.suspend"](machine.ctx, ref),
        () => handlers["site.deprovision"](machine.ctx, { ...ref, removeFiles: true }),
      ]) {
        await expect(attempt()).rejects.toMatchObject({
          code: "broken_config",
          message: expect.stringContaining(`${theirs}:1`),
        });
      }
      expect((await machine.get(ref.domain)).status).toBe(200);
      nothingIsOf(other);
      expect(readFileSync(theirs, "utf8")).toBe(text);
    } finally {
      rmSync(theirs);
    }
    nginxIsFine();
  });

  test("is made and changed while another program has the port of TLS, which costs a certificate its use alone", async () => {
    const { nginx, certificates, sites } = machine.settings;
    const theirs = createServer((socket) => socket.destroy()).listen(nginx.httpsPort, nginx.listen);
    await once(theirs, "listening");
    const { patienceMs } = sites;
    sites.patienceMs = 300;
    const ref = await provision(machine.newSite());
    const at = (name: string) => join(certificates.dir, name);
    mkdirSync(certificates.dir, { recursive: true });
    const { cert, key } = selfSigned();
    writeFileSync(at("c"), cert);
    writeFileSync(at("k"), key);
    const certificate = { certificateFile: at("c"), keyFile: at("k") };
    const { siteId } = ref;
    try {
      await expect(
        machine.ctx.root("site.change", { siteId, change: { certificate } }),
      ).rejects.toMatchObject({ code: "tool_failed" });
      sites.patienceMs = patienceMs;
      const { domain } = await provision(machine.newSite());
      for (const name of [domain, ref.domain]) expect((await machine.get(name)).status).toBe(200);
    } finally {
      sites.patienceMs = patienceMs;
      theirs.close();
    }
  });

  test("is not made when PHP-FPM was broken by hand, and the error names the file", async () => {
    const ref = await provision(machine.newSite(), "php");
    const theirs = join(machine.php?.poolDir ?? "", "theirs.conf");
    writeFileSync(theirs, "[theirs]\nnonsense = yes\n");
    const other = machine.newSite();
    try {
      await expect(provision(other, "php")).rejects.toMatchObject({
        code: "broken_config",
        message: expect.stringContaining(theirs),
      });
      nothingIsOf(other);
    } finally {
      rmSync(theirs);
    }
    const { unixUser, rootPath } = ref;
    writeFileSync(join(rootPath, "a.php"), "<?php echo 'hidup';");
    expect((await machine.get(ref.domain, "/a.php")).body).toBe("hidup");
    expect(existsSync(join(machine.php?.socketDir ?? "", `nusantara-${unixUser}.sock`))).toBe(true);
  });

  test("whose own file was broken by hand is mended", async () => {
    const ref = await provision(machine.newSite());
    const file = vhostFile(machine.settings, ref.siteId);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, `${text}\nbroken {`);
    await provision(ref);
    expect(readFileSync(file, "utf8")).toBe(text);
    nginxIsFine();
  });

  test("that does not come to be served is taken back", async () => {
    const before = await provision(machine.newSite());
    const { pidFile } = machine.nginx;
    const pid = readFileSync(pidFile, "utf8");
    // A reload that nobody gets: the configuration is right, and yet not served.
    writeFileSync(pidFile, "0\n");
    try {
      const ref = machine.newSite();
      await expect(provision(ref)).rejects.toMatchObject({ code: "unavailable" });
      nothingIsOf(ref);
      await expect(handlers["site.suspend"](machine.ctx, before)).rejects.toThrow();
      expect(findSite(machine.settings, before)?.suspended).toBe(false);
    } finally {
      writeFileSync(pidFile, pid);
    }
    expect((await machine.get(before.domain)).status).toBe(200);
  });

  test("is not made where nginx does not include our folder", async () => {
    const file = join(machine.nginx.dir, "conf.d", "nusantara.conf");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, "# include nothing;\n");
    try {
      const ref = machine.newSite();
      await expect(provision(ref)).rejects.toMatchObject({ code: "broken_config" });
      nothingIsOf(ref);
    } finally {
      writeFileSync(file, text);
    }
  });
});
