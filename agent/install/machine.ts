import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../programs.ts";

const PROGRAM_MS = 60_000;

/** Who owns what the installer makes: root, or the agent's own user. */
export type Owner = "root" | "agent";

export const AGENT_USER = "nusantarad";

/** The machine that is worked on, or a folder that stands in its place. */
export class Machine {
  /** "/" or a folder that stands for it: nothing outside of it is touched, no service is spoken to. */
  readonly root: string;
  readonly dryRun: boolean;
  readonly say: (line: string) => void;

  constructor({ root, dryRun, say }: Pick<Machine, "root" | "dryRun" | "say">) {
    this.root = root;
    this.dryRun = dryRun;
    this.say = say;
  }

  get isReal(): boolean {
    return this.root === "/";
  }

  /** Where a path of the machine is from here. */
  at(path: string): string {
    return join(this.root, path);
  }

  /** A program of the agent's closed list; throws our own words when it fails. */
  async run(program: string, args: string[], stdin?: string): Promise<string> {
    const { code, stdout } = await runProgram(program, args, {
      timeoutMs: PROGRAM_MS,
      ...(stdin === undefined ? {} : { stdin }),
    });
    if (code !== 0) throw new Error(`${program} ${args[0] ?? ""} ended with ${code}`);
    return stdout;
  }

  /** Numbers of the agent's user, by the machine's own accounts; null while there is none. */
  account(): { uid: number; gid: number } | null {
    const line = this.text("/etc/passwd")
      ?.split("\n")
      .find((entry) => entry.startsWith(`${AGENT_USER}:`));
    const [, , uid, gid] = line?.split(":") ?? [];
    return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
  }

  ids(owner: Owner): { uid: number; gid: number } | null {
    return owner === "root" ? { uid: 0, gid: 0 } : this.account();
  }

  text(path: string): string | null {
    try {
      return readFileSync(this.at(path), "utf8");
    } catch {
      return null;
    }
  }

  linkAt(path: string): string | null {
    try {
      return readlinkSync(this.at(path));
    } catch {
      return null;
    }
  }

  stat(path: string) {
    return lstatSync(this.at(path), { throwIfNoEntry: false }) ?? null;
  }
}

/** One thing that an installation needs. It looks before it acts, so that a second run changes nothing. */
export interface Step {
  what: string;
  isDone(): boolean | Promise<boolean>;
  act(): void | Promise<void>;
}

/** Does what is not done yet, in order, and says so; with `dryRun` it only says. */
export async function takeSteps(machine: Machine, steps: Step[]): Promise<number> {
  let changed = 0;
  for (const { what, isDone, act } of steps) {
    if (await isDone()) {
      machine.say(`  ok      ${what}`);
      continue;
    }
    changed++;
    machine.say(machine.dryRun ? `  would   ${what}` : `  doing   ${what}`);
    if (!machine.dryRun) await act();
  }
  return changed;
}
