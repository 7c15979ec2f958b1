import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { act } from "../root/command.ts";
import { rootCtx } from "../root/root-ctx.ts";
import { headOf, vhostFile } from "../sites/record.ts";
import { needs } from "../testing/needs.ts";
import { knownOf, TestServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(() => {
  server = new TestServer();
});
afterAll(() => server.remove());

const USER = "site_abc123abc123";

/** Only root can give files away. */
needs("tar", "zstd", "age").runIf(process.getuid?.() === 0)("a site restored by root", () => {
  it.each(["there", "gone"])(
    "is its account's to the last file and lends no rights, whatever the archive says (folder %s)",
    async (folder) => {
      const site = server.site({ "index.html": "halo", "a/b.txt": "b" });
      const { siteId, domain, rootPath } = site.target;
      const base = server.ctx.settings;
      const uid = base.sites.firstUid;
      const prefix = server.at(`accounts-${folder}`);
      mkdirSync(join(prefix, "etc"), { recursive: true });
      writeFileSync(
        join(prefix, "etc", "passwd"),
        `${USER}:x:${uid}:${uid}:nusantara ${siteId}:/:/bin/false\n`,
      );
      const sitesDir = server.at(`vhosts-${folder}`);
      mkdirSync(sitesDir);
      const settings = {
        ...base,
        nginx: { ...base.nginx, sitesDir },
        sites: { ...base.sites, accountsPrefix: prefix },
      };
      const record = {
        ...{ v: 1 as const, siteId, domain, aliases: [], rootPath, documentRoot: "" },
        ...{ runtime: "static" as const, phpVersion: null, entry: null, unixUser: USER },
        ...{ suspended: false, certificate: null, note: "", lastDay: null },
      };
      writeFileSync(vhostFile(settings, siteId), `${headOf(record)}\n`);
      // What an archive by the agent's own user could hold: a program of root's that lends root's rights.
      copyFileSync("/usr/bin/id", join(rootPath, "rootshell"));
      chmodSync(join(rootPath, "rootshell"), 0o6755);
      chmodSync(join(rootPath, "a"), 0o3755);
      const facts = await server.backUp(site.target);
      if (folder === "gone") rmSync(rootPath, { recursive: true });
      else chownSync(rootPath, uid, 0);

      const input = { ...knownOf(facts), restoreId: crypto.randomUUID(), target: site.target };
      const given = { command: "backup.restore", input };
      const outcome = await act(rootCtx(settings), "site.backup", given, { ownProcess: true });

      expect(outcome).toMatchObject({ ok: true });
      const made = ["", ...readdirSync(rootPath, { recursive: true, encoding: "utf8" })];
      expect(made.sort()).toEqual(["", "a", "a/b.txt", "index.html", "rootshell"]);
      for (const name of made) {
        const { uid: owner, mode } = lstatSync(join(rootPath, name));
        expect({ name, owner, special: mode & 0o7000 }).toEqual({ name, owner: uid, special: 0 });
      }
      expect(lstatSync(join(rootPath, "rootshell")).mode & 0o777).toBe(0o755);
    },
  );
});
