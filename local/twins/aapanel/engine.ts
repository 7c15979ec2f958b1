import { type Clock, Timers, wib } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import { OwnDials } from "../common/own-dials.ts";
import type { Area } from "./area.ts";
import { panelDials } from "./own-dials.ts";
import type { Domain, PanelState, Site, Task } from "./state.ts";

export interface PanelOptions {
  apiKey: string;
  /** `limit_addr`; without the dial `callerAddress` everybody comes from 127.0.0.1. */
  whitelist?: string[];
  /** Failed calls in a row after which an address is shut out (20). */
  lockAfter?: number;
  /** The most that one archive becomes (300 MB, 20,000 entries). */
  unzipBytes?: number;
  unzipEntries?: number;
  clock?: Clock;
}

export const phpVersions: readonly (readonly [version: string, name: string])[] = [
  ["00", "Static"],
  ["74", "PHP-74"],
  ["82", "PHP-82"],
  ["83", "PHP-83"],
];

/** What the panel knows and does: sites, FTP, databases, its disk, its tasks. */
export class Panel {
  readonly apiKey: string;
  readonly lockAfter: number;
  readonly unzipLimits: { bytes: number; entries: number };
  readonly dials = new Dials();
  readonly own = new OwnDials(this.dials, panelDials);
  readonly timers = new Timers();
  readonly clock: Clock;
  readonly area: Area;
  readonly state: PanelState;
  url = "";
  private lastId = 0;
  private lastDay: string;

  constructor(options: PanelOptions, area: Area) {
    this.apiKey = options.apiKey;
    this.lockAfter = options.lockAfter ?? 20;
    this.unzipLimits = {
      bytes: options.unzipBytes ?? 300_000_000,
      entries: options.unzipEntries ?? 20_000,
    };
    this.clock = options.clock ?? Date.now;
    this.area = area;
    this.lastDay = this.today();
    this.state = {
      apiOpen: true,
      whitelist: options.whitelist ?? ["127.0.0.1"],
      failures: new Map(),
      sites: new Map(),
      ftps: new Map(),
      databases: new Map(),
      backups: new Map(),
      tasks: new Map(),
      issued: new Map(),
      journal: [],
    };
  }

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  /** Where an earlier run stopped: a day that has passed since then is made up for. */
  takeUp(lastId: number, lastDay: string): void {
    this.lastId = lastId;
    this.lastDay = lastDay;
  }

  position(): { lastId: number; lastDay: string } {
    return { lastId: this.lastId, lastDay: this.lastDay };
  }

  today(): string {
    return wib(this.clock()).slice(0, 10);
  }

  siteNamed(name: string): Site | undefined {
    return [...this.state.sites.values()].find((site) => site.name === name);
  }

  /** Whether a site lies there: the root of each holds a `.user.ini` that is locked, and none below it does. */
  isRoot(path: string): boolean {
    return [...this.state.sites.values()].some((site) => site.path === path);
  }

  /** The site that a host name is bound to. */
  siteOfHost(host: string): Site | undefined {
    return [...this.state.sites.values()].find((site) =>
      site.domains.some((domain) => domain.name === host || isWildcardFor(domain.name, host)),
    );
  }

  findDomain(name: string, port: number): Domain | undefined {
    for (const site of this.state.sites.values()) {
      const found = site.domains.find((one) => one.name === name && one.port === port);
      if (found) return found;
    }
    return undefined;
  }

  /** Once per day, when the date has rolled over: sites whose day lies before today are stopped, never deleted. */
  rollOver(): void {
    const today = this.today();
    if (today === this.lastDay) return;
    this.lastDay = today;
    this.expire(today);
  }

  expire(today: string): string[] {
    const due = [...this.state.sites.values()].filter(
      ({ edate, running }) => running && edate !== "0000-00-00" && edate < today,
    );
    for (const site of due) site.running = false;
    return due.map((site) => site.name);
  }

  /** A task of the panel's queue, which runs after a while. */
  queue(task: Pick<Task, "name" | "type" | "shell">, ms: number, run: () => Promise<string>): Task {
    const queued: Task = {
      ...task,
      id: this.nextId(),
      status: 0,
      addedAt: this.clock(),
      endedAt: 0,
      log: "",
    };
    this.state.tasks.set(queued.id, queued);
    const finish = (log: string) => {
      queued.status = 1;
      queued.endedAt = this.clock();
      queued.log = log;
    };
    this.timers.later(ms, () => {
      if (!this.state.tasks.has(queued.id)) return;
      queued.status = -1;
      run().then(finish, (error: unknown) => finish(String(error)));
    });
    return queued;
  }
}

function isWildcardFor(name: string, host: string): boolean {
  return name.startsWith("*.") && host.endsWith(name.slice(1));
}
