import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildAgent } from "../../local/release/build.ts";
import { needs } from "../testing/needs.ts";

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
        ...{
          "own-settings": expect.stringMatching(/^[12]$/),
          "own-release": expect.stringMatching(/^[12]$/),
        },
        ...{ "own-link": "1", "own-supervisor": "1", uninstall: "0", user: "1" },
      });
    },
  );
});
