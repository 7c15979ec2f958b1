import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { buildAgent } from "../../local/release/build.ts";
import { needs, pathOf } from "../testing/needs.ts";

let built: string;
let root: string;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "nusantarad-built-"));
  const facts = {
    version: "1.2.3",
    commit: "0123456789ab",
    builtAt: "2026-11-21T12:00:00Z",
    keys: [],
  };
  const { agent } = await buildAgent(facts);
  writeFileSync(join(built, "nusantarad.mjs"), agent);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

/** A machine as Debian leaves it, as far as an installer looks. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nusantarad-root-"));
  chmodSync(root, 0o755);
  for (const path of [
    "etc/nginx/conf.d",
    "etc/php/8.2/fpm/pool.d",
    "etc/sudoers.d",
    "etc/logrotate.d",
    "etc/ssh",
    "var/www",
    "usr/local/bin",
    "run",
  ]) {
    mkdirSync(join(root, path), { recursive: true });
  }
  put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
  put("etc/group", "root:x:0:\n");
  put("etc/shadow", "root:*:19000:0:99999:7:::\n");
  put("etc/gshadow", "root:*::\n");
  put("etc/login.defs", "SYS_UID_MIN 100\nSYS_UID_MAX 999\nSYS_GID_MIN 100\nSYS_GID_MAX 999\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const program = (name: "visudo" | "systemd-analyze") => pathOf(name) ?? name;
const put = (path: string, text: string) => writeFileSync(join(root, path), text);
const text = (path: string) => readFileSync(join(root, path), "utf8");

function agent(...args: string[]) {
  const done = spawnSync(process.execPath, [join(built, "nusantarad.mjs"), ...args], {
    encoding: "utf8",
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

/** Every path below the root with its mode, owner, time and content. */
function snapshot(folder = root): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const stat = lstatSync(join(folder, name));
      const content = stat.isFile()
        ? createHash("sha1")
            .update(readFileSync(join(folder, name)))
            .digest("hex")
        : "";
      return `${name} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.isDirectory() ? "" : stat.mtimeMs} ${content}`;
    });
}

const modeOf = (path: string) => (lstatSync(join(root, path)).mode & 0o7777).toString(8);
const uidOf = (path: string) => lstatSync(join(root, path)).uid;

needs(
  "root",
  "useradd",
  "age",
  "zstd",
)("nusantarad install", () => {
  it("with --dry-run prints every step and touches nothing", () => {
    const before = snapshot();
    const { code, out } = agent("install", "--root", root, "--dry-run");
    expect(code).toBe(0);
    for (const step of [
      "user nusantarad",
      "/etc/sudoers.d/nusantarad",
      "nusantarad.service",
      "/var/lib/nusantarad",
      "supervise.sh",
      "enrol",
      "backups are encrypted for a new key pair",
    ]) {
      expect(out).toMatch(new RegExp(`would .*${step}`));
    }
    expect(out).not.toMatch(/doing/);
    expect(out).toContain("Nothing was touched.");
    expect(snapshot()).toEqual(before);
  });

  it("makes user, folders and files with their owners and modes", () => {
    const { code, err } = agent("install", "--root", root);
    expect([code, err]).toEqual([0, ""]);
    const [, , uid = "", , , home, shell] =
      text("etc/passwd")
        .split("\n")
        .find((line) => line.startsWith("nusantarad:"))
        ?.split(":") ?? [];
    expect([home, shell]).toEqual(["/var/lib/nusantarad", "/usr/sbin/nologin"]);
    expect(text("etc/shadow")).toMatch(/^nusantarad:!/m);
    const owned = (path: string, mode: string, owner: number) =>
      expect([path, modeOf(path), uidOf(path)]).toEqual([path, mode, owner]);
    owned("etc/nusantarad", "755", 0);
    owned("etc/nusantarad/agent.json", "644", 0);
    owned("etc/nusantarad/certificates", "700", Number(uid));
    owned("var/lib/nusantarad", "711", Number(uid));
    owned("var/backups/nusantara-panel", "700", Number(uid));
    owned("usr/local/lib/nusantarad/releases/1.2.3/nusantarad.mjs", "644", 0);
    owned("usr/local/lib/nusantarad/supervise.sh", "644", 0);
    owned("usr/local/bin/nusantarad", "755", 0);
    owned("etc/sudoers.d/nusantarad", "440", 0);
    expect(uidOf("usr/local/lib/nusantarad/privileged")).toBe(0);
    expect(uidOf("var/lib/nusantarad/current")).toBe(Number(uid));
    expect(readlinkSync(join(root, "var/lib/nusantarad/current"))).toBe(
      "/usr/local/lib/nusantarad/releases/1.2.3",
    );
    expect(JSON.parse(text("etc/nusantarad/agent.json"))).toEqual({
      phpFpm: [
        { version: "8.2", poolDir: "/etc/php/8.2/fpm/pool.d", pidFile: "/run/php/php8.2-fpm.pid" },
      ],
      mariadb: { user: "nusantarad" },
      watch: ["nginx", "php8.2-fpm", "mariadb"],
      backups: { recipient: expect.stringMatching(/^age1[0-9a-z]{58}$/) },
    });
    expect(text("etc/nginx/conf.d/nusantara.conf")).toBe(
      "server_names_hash_bucket_size 512;\ninclude /etc/nginx/nusantara/*.conf;\n",
    );
    expect(text("etc/logrotate.d/nusantarad")).toContain("/var/lib/nusantara-sites/*/log/*.log {");
  });

  it("leaves room for long names to an nginx that says itself how much", () => {
    put("etc/nginx/nginx.conf", "http {\n  server_names_hash_bucket_size 256;\n}\n");
    agent("install", "--root", root);
    expect(text("etc/nginx/conf.d/nusantara.conf")).toBe("include /etc/nginx/nusantara/*.conf;\n");
  });

  it("run again changes nothing at all, and mends what was broken meanwhile", () => {
    agent("install", "--root", root);
    const before = snapshot();
    const again = agent("install", "--root", root);
    expect(again.code).toBe(0);
    expect(again.out.match(/doing/g)).toHaveLength(1);
    expect(again.out).toMatch(/doing {3}enrol: give --url/);
    expect(snapshot()).toEqual(before);
    chmodSync(join(root, "etc/nusantarad/certificates"), 0o777);
    put("etc/sudoers.d/nusantarad", "nusantarad ALL=(ALL) NOPASSWD: ALL\n");
    agent("install", "--root", root);
    expect(modeOf("etc/nusantarad/certificates")).toBe("700");
    expect(text("etc/sudoers.d/nusantarad")).not.toMatch(/NOPASSWD: ALL/);
  });

  it("keeps what people wrote into the settings", () => {
    mkdirSync(join(root, "etc/nusantarad"), { recursive: true });
    const backups = { dir: "/srv/backups", recipient: `age1${"q".repeat(58)}` };
    const given = { sitesRoot: "/srv/www", watch: ["nginx"], backups };
    put("etc/nusantarad/agent.json", JSON.stringify(given));
    agent("install", "--root", root);
    expect(JSON.parse(text("etc/nusantarad/agent.json"))).toEqual(given);
    expect(existsSync(join(root, "srv/www"))).toBe(true);
    expect(text("etc/systemd/system/nusantarad.service")).toContain("-/srv/www");
  });

  it("refuses a folder of its own that is a link", () => {
    mkdirSync(join(root, "etc/nusantarad"), { recursive: true });
    execFileSync("ln", ["-s", "/tmp", join(root, "etc/nusantarad/certificates")]);
    const { code, err } = agent("install", "--root", root);
    expect([code, err]).toEqual([1, expect.stringContaining("is a link")]);
  });
});

needs(
  "root",
  "useradd",
  "visudo",
)("the sudo list", () => {
  it("is well formed, names one program with one argument, and opens nothing else", () => {
    agent("install", "--root", root);
    const file = join(root, "etc/sudoers.d/nusantarad");
    execFileSync(program("visudo"), ["-c", "-q", "-f", file]);
    const rights = text("etc/sudoers.d/nusantarad")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("Defaults"));
    expect(rights).toEqual(["nusantarad ALL=(root) NOPASSWD: /usr/local/bin/nusantarad root"]);
  });
});

needs(
  "root",
  "useradd",
  "systemd-analyze",
)("the service", () => {
  it("is a unit that systemd understands, walled in as far as sudo allows", () => {
    agent("install", "--root", root);
    const unit = join(root, "etc/systemd/system/nusantarad.service");
    // The program is looked for on this machine, where it is not installed.
    const here = text("etc/systemd/system/nusantarad.service").replace(
      /^ExecStart=(\S+) .*/m,
      "ExecStart=$1 --version",
    );
    writeFileSync(unit, here);
    const verified = spawnSync(program("systemd-analyze"), ["verify", "--man=no", unit], {
      encoding: "utf8",
    });
    expect(
      verified.stderr.split("\n").filter((line) => line.includes("nusantarad.service")),
    ).toEqual([]);
    const rated = spawnSync(
      program("systemd-analyze"),
      ["security", "--offline=true", "--no-pager", unit],
      { encoding: "utf8" },
    );
    const exposure = Number(/exposure level.*?: ([\d.]+)/.exec(rated.stdout)?.[1]);
    expect(exposure).toBeLessThan(7);
    expect(here).not.toMatch(/NoNewPrivileges=yes|SystemCallFilter/);
  });
});

needs("root", "useradd")("nusantarad uninstall", () => {
  it("takes the agent away and leaves sites, certificates and backups alone", () => {
    agent("install", "--root", root);
    mkdirSync(join(root, "var/www/toko"));
    put("var/www/toko/index.html", "halo");
    put("etc/nginx/nusantara/toko.conf", "server {}");
    put("etc/nusantarad/certificates/toko.pem", "pem");
    put("var/backups/nusantara-panel/x.json", "{}");
    const dry = snapshot();
    agent("uninstall", "--root", root, "--dry-run");
    expect(snapshot()).toEqual(dry);
    const { code, out, err } = agent("uninstall", "--root", root);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("Left as they are: sites");
    for (const path of [
      "etc/sudoers.d/nusantarad",
      "etc/systemd/system/nusantarad.service",
      "usr/local/bin/nusantarad",
      "usr/local/lib/nusantarad",
      "var/lib/nusantarad",
      "etc/nusantarad/agent.json",
    ]) {
      expect([path, existsSync(join(root, path))]).toEqual([path, false]);
    }
    expect(text("etc/passwd")).not.toContain("nusantarad");
    expect(text("var/www/toko/index.html")).toBe("halo");
    expect(text("etc/nginx/nusantara/toko.conf")).toBe("server {}");
    expect(text("var/backups/nusantara-panel/x.json")).toBe("{}");
    expect([
      text("etc/nusantarad/certificates/toko.pem"),
      uidOf("etc/nusantarad/certificates/toko.pem"),
    ]).toEqual(["pem", 0]);
    expect(text("etc/logrotate.d/nusantarad")).toContain("rotate");
    expect(agent("uninstall", "--root", root).code).toBe(0);
    expect(text("etc/nginx/conf.d/nusantara.conf")).toContain("include");
  });

  it("leaves nothing at all on a server that never had a site", () => {
    const accounts = /^etc\/((group|gshadow|passwd|shadow|subuid|subgid)-?|\.pwd\.lock)$/;
    const files = () =>
      readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((path) => !accounts.test(path))
        .sort();
    const usual = ["etc/systemd/system", "usr/local/lib", "var/backups", "var/lib"];
    for (const path of usual) mkdirSync(join(root, path), { recursive: true });
    const before = files();
    agent("install", "--root", root);
    expect(files().length).toBeGreaterThan(before.length + 15);
    expect(agent("uninstall", "--root", root).code).toBe(0);
    expect(files()).toEqual(before);
  });
});

it("a folder that is no machine's root is refused", () => {
  rmSync(join(root, "etc/passwd"));
  const { code, err } = agent("install", "--root", root);
  expect([code, err]).toEqual([1, expect.stringContaining("has no etc/passwd")]);
});
