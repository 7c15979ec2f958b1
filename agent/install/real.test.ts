import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildAgent } from "../../local/release/build.ts";
import { needs } from "../testing/needs.ts";
import { unitText } from "./unit.ts";

/** A view of this machine of its own, whose changes below these folders are gone with it. */
const OVERLAYS = `set -e
mount -t tmpfs tmpfs "$1"
for d in etc usr/local var; do
  n=$(echo $d | tr / -); mkdir -p "$1/$n/u" "$1/$n/w"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$1/$n/u,workdir=$1/$n/w" /$d
done
`;

const isolated = (script: string, folder: string, ...args: string[]) =>
  spawnSync("unshare", ["--mount", "sh", "-c", OVERLAYS + script, "sh", folder, ...args], {
    encoding: "utf8",
    cwd: "/",
  });

let folder: string;
let mount: string;
let file: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nusantarad-real-"));
  mount = mkdtempSync(join(tmpdir(), "nusantarad-mount-"));
  file = join(folder, "nusantarad.mjs");
  const facts = {
    version: "1.2.3",
    commit: "0123456789ab",
    builtAt: "2026-11-21T12:00:00Z",
    keys: [],
  };
  writeFileSync(file, (await buildAgent(facts)).agent);
});
afterAll(() => {
  for (const path of [folder, mount]) rmSync(path, { recursive: true, force: true });
});

const canIsolate = () => {
  const probe = mkdtempSync(join(tmpdir(), "nusantarad-probe-"));
  const { status } = isolated("true", probe);
  rmSync(probe, { recursive: true, force: true });
  if (status !== 0)
    process.stderr.write("\nLEFT OUT: a real installation: no private mounts here\n");
  return status === 0;
};

/** Each line begins with what was tried, then how it ended. */
const SCRIPT = `set +e
node=$2; file=$3
agent() { setpriv --reuid nusantarad --regid nusantarad --clear-groups "$@"; }
tried() { name=$1; shift; "$@" > /dev/null 2>&1 </dev/null; echo "$name: $?"; }
tried install "$node" "$file" install
printf '{"url":"https://panel.test","serverId":"srv_1","sites":{"dataDir":"/var/lib/nusantara-sites"}}' > /etc/nusantarad/agent.json
tried again "$node" "$file" install
tried sudoers visudo -c -q
tried unit systemd-analyze verify --man=no /etc/systemd/system/nusantarad.service
echo "version: $(/usr/local/bin/nusantarad version)"
echo "verb: $(echo '{"verb":"no.such","input":{}}' | agent sudo -n /usr/local/bin/nusantarad root)"
tried shell agent sudo -n /bin/sh -c true
tried other-command agent sudo -n /usr/local/bin/nusantarad install
tried other-settings agent sudo -n /usr/local/bin/nusantarad root --settings /tmp/x
tried other-user agent sudo -n -u www-data /usr/local/bin/nusantarad root
echo "list: $(agent sudo -n -l | sed -n '/may run/,$p' | tail -n +2 | xargs)"
tried more-arguments agent sudo -n /usr/local/bin/nusantarad root root
tried no-argument agent sudo -n /usr/local/bin/nusantarad
tried empty-argument agent sudo -n /usr/local/bin/nusantarad root ''
cp /usr/local/bin/nusantarad /tmp/nusantarad
tried other-copy agent sudo -n /tmp/nusantarad root
tried other-group agent sudo -n -g www-data /usr/local/bin/nusantarad root
tried nobody-s-number agent sudo -n -u '#-1' /usr/local/bin/nusantarad root
tried own-environment agent sudo -n NODE_OPTIONS=--require=/tmp/x.cjs /usr/local/bin/nusantarad root
tried kept-environment agent sudo -n -E /usr/local/bin/nusantarad root
tried edit agent sudo -n -e /etc/passwd
echo 'require("fs").writeFileSync("/tmp/was-root", "")' > /tmp/x.cjs
rm -f /tmp/was-root
echo "environment: $(echo '{"verb":"no.such","input":{}}' | agent env NODE_OPTIONS=--require=/tmp/x.cjs BASH_ENV=/tmp/x PATH=/tmp /usr/bin/sudo -n /usr/local/bin/nusantarad root 2>/dev/null | cut -c1-12)$(ls /tmp/was-root 2>/dev/null)"
rm -f /tmp/x.cjs /tmp/nusantarad /tmp/was-root
tried own-release agent sh -c 'echo > /usr/local/lib/nusantarad/privileged/nusantarad.mjs'
tried own-link agent ln -sfn /tmp /usr/local/lib/nusantarad/privileged
tried own-settings agent sh -c 'echo > /etc/nusantarad/agent.json'
tried own-supervisor agent rm -f /usr/local/lib/nusantarad/supervise.sh
tried uninstall "$node" "$file" uninstall
tried user id nusantarad
`;

needs(
  "root",
  "sudo",
  "visudo",
  "useradd",
  "systemd-analyze",
)("a real installation", () => {
  it.runIf(canIsolate())(
    "gives the agent one privileged command, nothing to change it by, and goes away whole",
    () => {
      const { stdout, stderr } = isolated(SCRIPT, mount, process.execPath, file);
      const told = Object.fromEntries(
        stdout
          .trim()
          .split("\n")
          .map((line) => [line.split(": ")[0], line.split(": ").slice(1).join(": ")]),
      );
      expect(stderr).not.toMatch(/mount:/);
      expect(JSON.parse(told.verb ?? "")).toMatchObject({ ok: false, error: { code: "invalid" } });
      expect(told).toMatchObject({
        ...{
          install: "0",
          again: "0",
          sudoers: "0",
          unit: "0",
          version: "1.2.3 0123456789ab 2026-11-21T12:00:00Z",
        },
        ...{ shell: "1", "other-command": "1", "other-settings": "1", "other-user": "1" },
        list: "(root) NOPASSWD: /usr/local/bin/nusantarad root",
        ...{ "more-arguments": "1", "no-argument": "1", "empty-argument": "1" },
        ...{ "other-copy": "1", "other-group": "1", "nobody-s-number": "1", edit: "1" },
        ...{ "own-environment": "1", "kept-environment": "1", environment: '{"ok":false,' },
        ...{
          "own-settings": expect.stringMatching(/^[12]$/),
          "own-release": expect.stringMatching(/^[12]$/),
        },
        ...{ "own-link": "1", "own-supervisor": "1", uninstall: "0", user: "1" },
      });
    },
  );

  it("has a unit that systemd finds no more exposed than one can be whose user calls sudo", () => {
    const unit = join(folder, "nusantarad.service");
    const [programDir, stateDir] = ["/usr/local/lib/nusantarad", "/var/lib/nusantarad"];
    writeFileSync(unit, unitText({ programDir, stateDir, sitesRoot: "/var/www" }, "/usr/bin/node"));
    const args = ["security", "--offline=true", "--no-pager", unit];
    const { stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    const [, exposure] = /exposure level for \S+: (\d+\.\d) /.exec(stdout) ?? [];
    // What is missing needs seccomp, and with it a user who gains no rights by any program.
    expect(Number(exposure), stdout).toBeLessThanOrEqual(7);
  });
});
