import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentLink, versionAt } from "./update/layout.ts";
import { lastUpdate } from "./update/state.ts";
import { choose, newPlaces, putRelease, type TestPlaces } from "./update/testing.ts";

const ENTRY = resolve(import.meta.dirname, "supervise.sh");
const attempt = "0193a2c4-7b1e-7c55-9d1f-2f6f3a9b1c10";
/** Long enough for whatever is well, on a busy machine too; what never speaks is given the short one. */
const TRIAL_S = 15;
const SHORT_S = 1;
const PATIENCE_MS = 20_000;

let places: TestPlaces;
let supervisor: ChildProcess | null;
let said = "";

beforeEach(() => {
  places = newPlaces();
  supervisor = null;
});
afterEach(async () => {
  await end("SIGTERM");
  places.remove();
});

const diary = () => join(places.stateDir, "diary");
const lines = () => (existsSync(diary()) ? readFileSync(diary(), "utf8").trim().split("\n") : []);
/** What an agent of this test says, to the diary and to its supervisor (agent/update/supervised.ts). */
const write = `import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
const folder = process.argv[2];
const say = (text) => appendFileSync(folder + "/diary", text + "\\n");
const tell = (file, text) => {
  writeFileSync(folder + "/" + file + ".new", process.pid + " " + text + "\\n");
  renameSync(folder + "/" + file + ".new", folder + "/" + file);
};`;
const stay = "setInterval(() => {}, 1000);";
/** An agent that is well: it says so, and wishes for another version when a file tells it to. */
const well = (version: string) => `${write}
say("${version} up");
tell("healthy", "${version}");
let wished = false;
setInterval(() => {
  if (wished || !existsSync(folder + "/go")) return;
  wished = true;
  tell("wish", "1.1.0 ${attempt}");
  process.kill(process.ppid, "SIGUSR1");
}, 20);`;

function begin(trialS = TRIAL_S, node = process.execPath): void {
  const { stateDir, programDir } = places;
  supervisor = spawn("/bin/sh", [ENTRY, node, stateDir, programDir, stateDir], {
    stdio: ["ignore", "pipe", "ignore"],
    env: {
      ...{ ...process.env, NUSANTARAD_TRIAL_S: String(trialS) },
      ...{ NUSANTARAD_PAUSE_MS: "20", NUSANTARAD_GRACE_S: "3" },
    },
  });
  said = "";
  supervisor.stdout?.on("data", (piece) => {
    said += String(piece);
  });
}

async function end(signal: NodeJS.Signals): Promise<void> {
  if (!supervisor || supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const gone = once(supervisor, "exit");
  supervisor.kill(signal);
  await gone;
}

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error(`never came: ${lines().join(", ")}`);
    await sleep(20);
  }
}

const wish = () => writeFileSync(join(places.stateDir, "go"), "");
const writeTrial = (until: number) =>
  writeFileSync(join(places.stateDir, "trial"), `${attempt} 1.0.0 1.1.0 ${until}\n`);
const current = () => versionAt(currentLink(places));
const ups = (version: string) => lines().filter((line) => line === `${version} up`).length;

/** The old version runs, the new one lies beside it, and the old one asks for it. */
async function tryNew(source: string, trialS = TRIAL_S): Promise<number> {
  putRelease(places, "1.0.0", well("1.0.0"));
  putRelease(places, "1.1.0", source);
  choose(places, "1.0.0");
  begin(trialS);
  await until(() => ups("1.0.0") === 1);
  const at = Date.now();
  wish();
  return at;
}

describe("a new version", () => {
  it("that reaches the panel stays", async () => {
    await tryNew(well("1.1.0"));
    await until(() => lastUpdate(places.stateDir) !== null);
    expect(lastUpdate(places.stateDir)).toMatchObject({
      ...{ attempt, from: "1.0.0" },
      version: "1.1.0",
      outcome: "installed",
    });
    await until(() => !existsSync(join(places.stateDir, "trial")));
    expect([current(), ups("1.0.0"), ups("1.1.0")]).toEqual(["1.1.0", 1, 1]);
  });

  it.each<[string, string, RegExp]>([
    ["crashes at once", 'throw new Error("broken");', /it ended \(1\)/],
    ["cannot even be read", "this is no JavaScript at all {{{", /it ended \(1\)/],
    ["ends without a word", "process.exit(0);", /it ended \(0\)/],
    ["is killed", 'process.kill(process.pid, "SIGKILL");', /it ended \(SIGKILL\)/],
    [
      "starts and never reaches the panel",
      `${write} say("1.1.0 up"); ${stay}`,
      /did not reach the panel/,
    ],
    [
      "hangs and heeds no signal",
      `${write} process.on("SIGTERM", () => {}); say("1.1.0 up"); for (;;);`,
      /did not reach the panel/,
    ],
    [
      "claims to be another version",
      `${write} tell("healthy", "1.0.0"); process.exit(3);`,
      /it ended \(3\)/,
    ],
  ])("that %s is taken back, and the old one runs again in time", async (_, source, reason) => {
    const isSilent = reason.test("did not reach the panel");
    const trialS = isSilent ? SHORT_S : TRIAL_S;
    const at = await tryNew(source, trialS);
    await until(() => ups("1.0.0") === 2);
    expect(Date.now() - at).toBeLessThan(trialS * 1_000 + (isSilent ? 5_000 : 0));
    const last = lastUpdate(places.stateDir);
    expect(last).toMatchObject({ attempt, from: "1.0.0", version: "1.1.0", outcome: "reverted" });
    expect(last?.reason).toMatch(reason);
    expect(current()).toBe("1.0.0");
    expect(existsSync(join(places.stateDir, "trial"))).toBe(false);
  });

  it("that is not there is never switched to", async () => {
    putRelease(places, "1.0.0", well("1.0.0"));
    choose(places, "1.0.0");
    begin();
    await until(() => ups("1.0.0") === 1);
    wish();
    await sleep(300);
    expect([current(), ups("1.0.0")]).toEqual(["1.0.0", 1]);
  });
});

describe("a supervisor that was killed in the middle of a trial", () => {
  it("goes on with it: a silent version is taken back after what was left of its time", async () => {
    await tryNew(
      `${write} say("1.1.0 up"); const supervisor = process.ppid;
        setInterval(() => process.ppid === supervisor || process.exit(), 20);`,
    );
    await until(() => ups("1.1.0") === 1);
    await end("SIGKILL");
    begin(SHORT_S);
    await until(() => ups("1.0.0") === 2);
    expect(lastUpdate(places.stateDir)).toMatchObject({ outcome: "reverted" });
    expect(current()).toBe("1.0.0");
  });

  it("takes it back at once when the machine was off for longer than the trial", async () => {
    putRelease(places, "1.0.0", well("1.0.0"));
    putRelease(places, "1.1.0", well("1.1.0"));
    choose(places, "1.1.0");
    writeTrial(Math.floor(Date.now() / 1_000) - 1);
    begin();
    await until(() => ups("1.0.0") === 1);
    expect([current(), ups("1.1.0")]).toEqual(["1.0.0", 0]);
  });

  it("makes a switch that was written down and not yet done", async () => {
    putRelease(places, "1.0.0", well("1.0.0"));
    putRelease(places, "1.1.0", well("1.1.0"));
    choose(places, "1.0.0");
    writeTrial(Math.floor(Date.now() / 1_000) + TRIAL_S);
    begin();
    await until(() => lastUpdate(places.stateDir)?.outcome === "installed");
    expect([current(), ups("1.0.0")]).toEqual(["1.1.0", 0]);
  });

  it("does not stumble over a broken note", async () => {
    putRelease(places, "1.0.0", well("1.0.0"));
    choose(places, "1.0.0");
    appendFileSync(join(places.stateDir, "trial"), `${attempt} 1.0.0 ../.. 99999999999`);
    begin();
    await until(() => ups("1.0.0") === 1);
    expect(current()).toBe("1.0.0");
  });
});

describe("the agent", () => {
  it("is started without what its Node does not know, so that no update of Node ends it", async () => {
    const node = join(places.programDir, "node");
    const refuses = `#!/bin/sh\ncase "$*" in *--no-maglev*) exit 9 ;; esac\nexec ${process.execPath} "$@"\n`;
    writeFileSync(node, refuses, { mode: 0o755 });
    putRelease(places, "1.0.0", well("1.0.0"));
    choose(places, "1.0.0");
    begin(TRIAL_S, node);
    await until(() => ups("1.0.0") === 1);
  });

  it("does not make way for a version whose trial cannot be noted", async () => {
    putRelease(places, "1.0.0", well("1.0.0"));
    putRelease(places, "1.1.0", well("1.1.0"));
    choose(places, "1.0.0");
    begin();
    await until(() => ups("1.0.0") === 1);
    mkdirSync(join(places.stateDir, "trial.new"));
    wish();
    await until(() => said.includes("the trial cannot be noted"));
    expect([current(), ups("1.0.0"), ups("1.1.0")]).toEqual(["1.0.0", 1, 0]);
  });

  it("is started again whenever it ends, and ends with its supervisor", async () => {
    putRelease(
      places,
      "1.0.0",
      `${write} say("1.0.0 up"); say("pid " + process.pid); setTimeout(() => process.exit(1), 50);`,
    );
    choose(places, "1.0.0");
    begin();
    await until(() => ups("1.0.0") >= 3);
    putRelease(places, "1.0.0", `${write} say("last " + process.pid); ${stay}`);
    await until(() => lines().some((line) => line.startsWith("last ")));
    const pid = Number(
      lines()
        .find((line) => line.startsWith("last "))
        ?.split(" ")[1],
    );
    await end("SIGTERM");
    expect(() => process.kill(pid, 0)).toThrow();
  });
});
