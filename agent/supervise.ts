import { parseArgs } from "node:util";
import { Supervisor } from "./update/supervisor.ts";

/** Part of the trial's time: the old version's commands begin again under the next. */
const SWITCH_GRACE_MS = 8_000;

/**
 * `supervise.mjs [--state DIR] [--programs DIR] [--trial-ms N] -- <arguments of the agent>`: the file that the system's
 * service manager starts. Installed once, never updated, bundled apart from the agent.
 */
const { values, positionals } = parseArgs({
  options: {
    state: { type: "string", default: "/var/lib/nusantarad" },
    programs: { type: "string", default: "/usr/local/lib/nusantarad" },
    "trial-ms": { type: "string", default: "50000" },
    "pause-ms": { type: "string", default: "1000" },
    "grace-ms": { type: "string", default: "70000" },
  },
  allowPositionals: true,
});

const supervisor = new Supervisor({
  stateDir: values.state,
  programDir: values.programs,
  args: positionals.length > 0 ? positionals : ["run"],
  trialMs: Number(values["trial-ms"]),
  graceMs: Number(values["grace-ms"]),
  switchGraceMs: SWITCH_GRACE_MS,
  pauseMs: Number(values["pause-ms"]),
  log: (line) => console.log(`supervisor: ${line}`),
});
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.once(name, () => void supervisor.stop().then(() => process.exit(0)));
}
supervisor.start();
