import type { AgentFrame, AskFrame, CommandFrame } from "../../shared/agent-protocol/index.ts";
import { type CommandOutcome, PROTOCOL_VERSION } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import type { AnyHandler } from "../handlers.ts";
import type { Journal } from "../journal/journal.ts";
import { failed, fitting, outcomeOf } from "./outcome.ts";
import { throttled } from "./progress.ts";

const SIDE_BY_SIDE = 4;
const ASKS_SIDE_BY_SIDE = 8;
const v = PROTOCOL_VERSION;

export interface DispatcherDeps {
  handlers: Record<string, AnyHandler>;
  journal: Journal;
  /** The context of one command. */
  context(signal: AbortSignal): AgentCtx;
  /** May be lost: an end is told again after the next hello. */
  send(frame: AgentFrame): void;
  now(): number;
  schedule(ms: number, work: () => void): () => void;
}

interface Running {
  frame: CommandFrame;
  stop: AbortController;
}

/**
 * Carries out what the edge sends. Commands of one subject run one after another as they came, up to four subjects side by
 * side; a command that is here already is not taken twice, and one that has ended is answered from the journal.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #waiting: CommandFrame[] = [];
  readonly #running = new Map<string, Running>();
  #asks = 0;
  #isStopping = false;
  #idle: (() => void)[] = [];

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
  }

  command(frame: CommandFrame): void {
    const known = this.#deps.journal.outcomeOf(frame.id);
    if (known) this.#tell(frame.id, known);
    if (known || this.#isStopping || this.#holds(frame.id)) return;
    this.#waiting.push(frame);
    this.#next();
  }

  cancel(id: string): void {
    this.#running.get(id)?.stop.abort(new CommandError("cancelled", "the command was cancelled"));
    const at = this.#waiting.findIndex((frame) => frame.id === id);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#end(id, failed("cancelled", "the command was cancelled"));
  }

  async ask({ id, type, input }: AskFrame): Promise<void> {
    const { context, handlers, send } = this.#deps;
    const answer = (outcome: CommandOutcome) => send({ v, t: "answer", id, outcome });
    if (this.#asks >= ASKS_SIDE_BY_SIDE) {
      answer(failed("unavailable", "too many questions at once", true));
      return;
    }
    this.#asks += 1;
    try {
      const ctx = context(new AbortController().signal);
      answer(await outcomeOf({ type, input }, handlers, ctx, () => undefined));
    } finally {
      this.#asks -= 1;
    }
  }

  /** Tells every end that the edge has not acknowledged. */
  tellEnds(): void {
    for (const { id, outcome } of this.#deps.journal.unacknowledged()) this.#tell(id, outcome);
  }

  /** Takes nothing more and resolves once all that runs has ended; what waits comes again to the next process. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#waiting.length = 0;
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends what still runs. */
  abort(): void {
    for (const { stop } of this.#running.values()) {
      stop.abort(new CommandError("unavailable", "the agent was stopped", { retryable: true }));
    }
  }

  get size(): number {
    return this.#running.size + this.#waiting.length;
  }

  #holds(id: string): boolean {
    return this.#running.has(id) || this.#waiting.some((frame) => frame.id === id);
  }

  #next(): void {
    const busy = new Set([...this.#running.values()].map(({ frame }) => frame.subject));
    for (const frame of [...this.#waiting]) {
      if (this.#running.size >= SIDE_BY_SIDE) return;
      if (busy.has(frame.subject)) continue;
      busy.add(frame.subject);
      this.#waiting.splice(this.#waiting.indexOf(frame), 1);
      const running = { frame, stop: new AbortController() };
      this.#running.set(frame.id, running);
      void this.#run(running).finally(() => this.#ran(frame.id));
    }
  }

  #ran(id: string): void {
    this.#running.delete(id);
    this.#next();
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Its subject stays taken until the handler is truly done, also when its time is up and that has been told. */
  async #run({ frame, stop }: Running): Promise<void> {
    const { now, context, handlers, send, schedule } = this.#deps;
    const { id, deadline } = frame;
    const refusal = this.#begin(frame);
    if (refusal) {
      this.#end(id, refusal);
      return;
    }
    const cancelTimer = this.#armed(deadline - now(), id, stop, schedule);
    const { progress, flush } = throttled(now, (percent, lines) =>
      send({ v, t: "progress", id, percent, lines }),
    );
    const outcome = await outcomeOf(frame, handlers, context(stop.signal), progress);
    cancelTimer();
    flush();
    this.#end(id, outcome);
  }

  /** Written down before anything is done; why nothing may be done, or null. */
  #begin({ id, deadline }: CommandFrame): CommandOutcome | null {
    if (deadline <= this.#deps.now()) return failed("timeout", "its time was up before it began");
    try {
      this.#deps.journal.started(id);
      return null;
    } catch {
      return failed("disk_full", "the agent cannot write its journal", true);
    }
  }

  #armed(
    ms: number,
    id: string,
    stop: AbortController,
    schedule: DispatcherDeps["schedule"],
  ): () => void {
    return schedule(ms, () => {
      stop.abort(new CommandError("timeout", "the command took too long"));
      this.#end(id, failed("timeout", "the command took too long"));
    });
  }

  /** The first end counts: a handler that goes on past its deadline changes nothing of what was told. */
  #end(id: string, outcome: CommandOutcome): void {
    const { journal } = this.#deps;
    const known = journal.outcomeOf(id);
    if (!known) journal.ended(id, outcome);
    this.#tell(id, known ?? outcome);
  }

  /** An end that another version wrote down may be too long still. */
  #tell(id: string, outcome: CommandOutcome): void {
    this.#deps.send({ v, t: "result", id, outcome: fitting(outcome) });
  }
}
