import {
  type AgentFrame,
  type EdgeFrame,
  PROTOCOL_VERSION,
} from "../shared/agent-protocol/index.ts";
import { BUILD } from "./build.ts";
import type { AgentCtx, AgentLog } from "./ctx.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import type { AnyHandler } from "./handlers.ts";
import { instanceOf } from "./instance.ts";
import { Journal, journalFile } from "./journal/journal.ts";
import { LinkClient } from "./link/client.ts";
import { edgeFetch } from "./link/edge.ts";
import { type AgentKey, connectHeaders } from "./link/key.ts";
import { openSocket } from "./link/socket.ts";
import { createMonitor, type Monitor, readFacts } from "./monitor/index.ts";
import { runProgram } from "./programs.ts";
import type { Settings } from "./settings.ts";

const MINUTE_MS = 60_000;
/** What runs when the agent is told to stop has this long to end by itself. */
const STOP_GRACE_MS = 60_000;
const ABORT_GRACE_MS = 5_000;
const v = PROTOCOL_VERSION;

export interface DaemonOptions {
  settings: Settings;
  key: AgentKey;
  log: AgentLog;
  root: AgentCtx["root"];
  dryRun?: boolean;
  /** Told once, when the edge has answered for the first time. */
  healthy?: () => void;
  /** What the agent can do. */
  handlers: Record<string, AnyHandler>;
  /** What is seen to once a minute, whether the edge is there or not. */
  chores?: ((ctx: AgentCtx) => Promise<void>)[];
  stopGraceMs?: number;
}

export interface Daemon {
  /** Ends the connection once what runs has ended, or is out of time. */
  stop(): Promise<void>;
}

/** The agent at work: connection, journal, dispatcher and the report once a minute. */
export function startDaemon(options: DaemonOptions): Daemon {
  const { settings, key, log } = options;
  const now = () => new Date();
  const journal = new Journal(journalFile(settings.stateDir));
  journal.open();
  const instance = instanceOf(settings.stateDir);
  const who = { url: settings.url, serverId: settings.serverId, key, now };
  const context = contextOf(options, edgeFetch(who), now);
  const dispatcher = new Dispatcher({
    ...{ handlers: options.handlers, journal, context, schedule },
    send: (frame) => void link.send(frame),
    now: Date.now,
  });
  const own = context(new AbortController().signal);
  const { chores = [] } = options;
  const monitor = createMonitor(own);
  const link: LinkClient = new LinkClient({
    ...{ schedule, log, random: Math.random },
    connect: (events) =>
      openSocket(
        { url: settings.url, headers: connectHeaders(who, new URL(settings.url).host), log },
        events,
      ),
    hello: async ({ displaced }) => ({
      ...{ v, t: "hello", agentVersion: BUILD.version, facts: await readFacts(settings) },
      ...{ instance, displaced, holds: journal.holds() },
    }),
    greeted: () => {
      log.info("connected");
      healthyOnce();
      dispatcher.tellEnds();
      void report(link, monitor, log);
    },
    frame: (frame) => receive(frame, dispatcher, journal),
  });
  const healthyOnce = once(options.healthy ?? (() => undefined));
  const everyMinute = setInterval(() => {
    void report(link, monitor, log);
    for (const chore of chores) void quietly(chore(own), log);
  }, MINUTE_MS);
  link.start();
  return {
    stop: async () => {
      clearInterval(everyMinute);
      await ended(dispatcher, options.stopGraceMs ?? STOP_GRACE_MS);
      link.stop();
      journal.close();
    },
  };
}

function receive(frame: EdgeFrame, dispatcher: Dispatcher, journal: Journal): void {
  if (frame.t === "command") dispatcher.command(frame);
  else if (frame.t === "ask") void dispatcher.ask(frame);
  else if (frame.t === "cancel") dispatcher.cancel(frame.id);
  else if (frame.t === "ack") journal.acknowledged(frame.ids);
  else frame satisfies never;
}

function contextOf(
  { settings, log, root, dryRun = false }: DaemonOptions,
  edge: AgentCtx["edge"],
  now: () => Date,
): (signal: AbortSignal) => AgentCtx {
  return (signal) => ({
    ...{ settings, root, edge, log, now, signal, dryRun },
    run: (program, args, options) => runProgram(program, args, { ...options, signal }),
  });
}

/** A report that cannot be made or sent is left out: the next one is a minute away. */
async function report(link: LinkClient, monitor: Monitor, log: AgentLog): Promise<void> {
  if (!link.isOpen) return;
  try {
    const frame: AgentFrame = { v, t: "report", report: await monitor.report() };
    link.send(frame);
  } catch (error) {
    log.warn("no report could be made", { error: error instanceof Error ? error.name : "" });
  }
}

async function quietly(chore: Promise<void>, log: AgentLog): Promise<void> {
  try {
    await chore;
  } catch (error) {
    log.warn("a chore failed", { error: error instanceof Error ? error.name : "" });
  }
}

/** What runs may end by itself, then it is told to, then it is left to be found by the next process. */
async function ended(dispatcher: Dispatcher, graceMs: number): Promise<void> {
  const stopped = dispatcher.stop();
  if (await inTime(stopped, graceMs)) return;
  dispatcher.abort();
  await inTime(stopped, ABORT_GRACE_MS);
}

async function inTime(work: Promise<void>, ms: number): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = schedule(ms, () => resolve(false));
  });
  const done = await Promise.race([work.then(() => true), late]);
  cancel();
  return done;
}

function schedule(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
