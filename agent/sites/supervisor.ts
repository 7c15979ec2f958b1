import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { endProgram, startProgram } from "../programs.ts";
import { endProcesses, findAccount } from "../root/accounts.ts";
import type { Settings } from "../settings.ts";
import { listRecords, type SiteRecord } from "./record.ts";
import { SERVICE_UMASK, type Service, serviceOf } from "./unit.ts";

/** Between two starts of a process that ends by itself: doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 60_000;
/** One that ran so long has started well. */
const STABLE_MS = 30_000;
const END_MS = 3_000;

interface Owner {
  uid: number;
  gid: number;
}

interface Watched {
  service: Service;
  owner: Owner;
  child: ChildProcess | null;
  pauseMs: number;
  timer: ReturnType<typeof setTimeout> | null;
  isWanted: boolean;
  starts: number;
}

/** Runs the processes of sites where no systemd does: each as its site's user, started again when it ends. */
export class Supervisor {
  readonly #settings: Settings;
  readonly #watched = new Map<string, Watched>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Has a site's process run as its record says, or not at all; another shape means another process. */
  async bring(record: SiteRecord, owner: Owner): Promise<void> {
    const service = serviceOf(this.#settings, record);
    const now = this.#watched.get(record.unixUser);
    const isSame =
      now && JSON.stringify([now.service, now.owner]) === JSON.stringify([service, owner]);
    if (isSame) return;
    await this.end(record.unixUser);
    if (!service) return;
    // What an agent that was killed has left running would answer in its place.
    await endProcesses(this.#settings, owner.uid);
    const watched = { service, owner, child: null, pauseMs: FIRST_PAUSE_MS };
    const full: Watched = { ...watched, timer: null, isWanted: true, starts: 0 };
    this.#watched.set(record.unixUser, full);
    this.#start(full);
  }

  /** Has a site's process begin anew, for its files are others now; one that does not run stays so. */
  async again(record: SiteRecord, owner: Owner): Promise<void> {
    if (!this.#watched.has(record.unixUser)) return;
    await this.end(record.unixUser);
    await this.bring(record, owner);
  }

  /** How often a site's process was started since it is watched; for tests and for the curious. */
  starts(user: string): number {
    return this.#watched.get(user)?.starts ?? 0;
  }

  pid(user: string): number | null {
    return this.#watched.get(user)?.child?.pid ?? null;
  }

  async end(user: string): Promise<void> {
    const watched = this.#watched.get(user);
    if (!watched) return;
    this.#watched.delete(user);
    watched.isWanted = false;
    if (watched.timer) clearTimeout(watched.timer);
    const { child } = watched;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    endProgram(child, END_MS);
    await exited;
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#watched.keys()].map((user) => this.end(user)));
  }

  #start(watched: Watched): void {
    const { service, owner } = watched;
    const began = Date.now();
    watched.starts += 1;
    watched.timer = null;
    const isOver = () => {
      watched.child = null;
      if (!watched.isWanted || watched.timer) return;
      const isStable = Date.now() - began >= STABLE_MS;
      const pause = isStable ? FIRST_PAUSE_MS : watched.pauseMs;
      watched.pauseMs = Math.min(pause * 2, LONGEST_PAUSE_MS);
      watched.timer = setTimeout(() => this.#start(watched), pause);
      watched.timer.unref();
    };
    try {
      // What a process that was killed has left; nobody could listen there again.
      rmSync(service.socket, { force: true });
      const child = withUmask(SERVICE_UMASK, () => {
        const { cwd, env } = service;
        return startProgram(service.program, [service.file], {
          ...{ cwd, env, ...owner, stdio: "ignore" as const },
        });
      });
      watched.child = child;
      child.once("exit", isOver);
      child.once("error", isOver);
    } catch {
      isOver();
    }
  }
}

/** A process begins with its parent's, and is made at once. */
function withUmask<T>(umask: number, work: () => T): T {
  const before = process.umask(umask);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}

const supervisors = new WeakMap<Settings, Supervisor>();

/** The one of these settings, in this process. */
export function supervisorOf(settings: Settings): Supervisor {
  const found = supervisors.get(settings) ?? new Supervisor(settings);
  supervisors.set(settings, found);
  return found;
}

/** Starts the processes of all sites when the agent starts; systemd does that by itself. */
export async function startSites(settings: Settings): Promise<void> {
  if (settings.services !== "direct") return;
  for (const record of listRecords(settings)) {
    const account = findAccount(settings, record.unixUser);
    if (account) await supervisorOf(settings).bring(record, account);
  }
}

/** Ends what this agent started itself. */
export async function stopSites(settings: Settings): Promise<void> {
  await supervisorOf(settings).endAll();
}
