import {
  type AgentError,
  type AgentFrame,
  type CommandOutcome,
  type EdgeFrame,
  type HeldCommand,
  MAX_FRAME_LENGTH,
  PROTOCOL_VERSION,
  specOf,
} from "../../../shared/agent-protocol/index.ts";
import { type CommandStore, type End, type StoredCommand, viewOf } from "./store.ts";
import { type CommandViewWire, hasEnded, type SubmissionWire } from "./views.ts";

/** What the agent is given at once; it works on four of them and keeps the rest in memory. */
const MAX_IN_FLIGHT = 32;
const MAX_WAITING = 10_000;
/** After its deadline a command that was sent may still be answered for this long. */
export const ANSWER_GRACE_MS = 30_000;
/** An end that nobody asked for is kept this long. */
export const ENDS_KEPT_MS = 30 * 86_400_000;
/** No attempt at a job stands for this long between reading its command and submitting it. */
const FORGOTTEN_KNOWN_MS = 15 * 60_000;
const ENVELOPE_LENGTH = 1_024;
const v = PROTOCOL_VERSION;

export interface DeskDeps {
  store: CommandStore;
  now(): number;
  seal(id: string, text: string): Promise<string>;
  unseal(id: string, sealed: string): Promise<string | null>;
  /** True when there is an agent that said hello and the frame is on its way to it. */
  send(frame: EdgeFrame): boolean;
  isConnected(): boolean;
  /** Tells Postgres. Must not fail. */
  begun(id: string): void;
  ended(id: string): void;
  progressed(id: string, percent: number, lines: string[]): void;
  /** Something is to be done at this time at the latest. */
  wakeBy(time: number): void;
}

const failure = (code: AgentError["code"], message: string): End => ({
  state: "failed",
  error: { code, message, retryable: false },
});

/**
 * Decides what becomes of a server's commands: which goes next, what an answer means, what is sent again. Of one subject
 * one is with the agent at a time, the lowest `seq` first; an id acts once however often it is submitted or answered.
 */
export class CommandDesk {
  readonly #deps: DeskDeps;
  readonly #waiters = new Map<string, Set<() => void>>();
  /** Their submitters are here, and tell by themselves that they were sent. */
  readonly #submitting = new Set<string>();
  #isPumping = false;
  #pumpAgain = false;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
  }

  async submit(command: SubmissionWire): Promise<CommandViewWire> {
    const { store } = this.#deps;
    const known = store.find(command.id);
    if (known) return viewOf(known);
    // An attempt that read the command before its end was written down: taken again, it would act a second time.
    if (store.isForgotten(command.id)) return FORGOTTEN;
    if (store.waiting() >= MAX_WAITING) throw new Error("too many commands wait for this server");
    const sealed = await this.#deps.seal(command.id, command.inputJson);
    if (store.isForgotten(command.id)) return FORGOTTEN;
    if (!store.find(command.id)) this.#take(command, sealed);
    this.#submitting.add(command.id);
    await this.pump().finally(() => this.#submitting.delete(command.id));
    return this.#view(command.id);
  }

  #take({ inputJson, ...command }: SubmissionWire, sealed: string): void {
    const { store, now, wakeBy } = this.#deps;
    store.insert(command, sealed);
    if (command.deadlineAt <= now()) this.#end(command.id, { state: "expired" });
    else if (!specOf(command.type)) this.#end(command.id, failure("version", "unknown command"));
    else if (inputJson.length > MAX_FRAME_LENGTH - ENVELOPE_LENGTH) {
      this.#end(command.id, failure("invalid", "the input is too large"));
    } else wakeBy(command.deadlineAt);
  }

  /** Its end is written down elsewhere. */
  forget(ids: readonly string[]): void {
    const { store, now } = this.#deps;
    store.forget(ids, now() + FORGOTTEN_KNOWN_MS, now());
  }

  find(id: string): CommandViewWire | null {
    const command = this.#deps.store.find(id);
    return command && viewOf(command);
  }

  /** Where the command is, at the latest after `waitMs`. */
  async wait(id: string, waitMs: number): Promise<CommandViewWire | null> {
    const view = this.find(id);
    if (!view || hasEnded(view) || waitMs <= 0) return view;
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waiters.delete(done);
        if (waiters.size === 0) this.#waiters.delete(id);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      waiters.add(done);
    });
    return this.find(id);
  }

  cancel(id: string): boolean {
    if (this.#deps.store.find(id)?.state !== "queued") return false;
    this.#end(id, { state: "cancelled" });
    return true;
  }

  /** Sends what may go now. Callers may overlap; one of them does the work of all. */
  async pump(): Promise<void> {
    if (this.#isPumping) {
      this.#pumpAgain = true;
      return;
    }
    this.#isPumping = true;
    try {
      do {
        this.#pumpAgain = false;
        await this.#pumpOnce();
      } while (this.#pumpAgain);
    } finally {
      this.#isPumping = false;
    }
  }

  async #pumpOnce(): Promise<void> {
    const { store, now, isConnected } = this.#deps;
    if (!isConnected()) return;
    const room = MAX_IN_FLIGHT - store.countSent();
    if (room <= 0) return;
    for (const command of store.sendable(now(), room)) await this.#give(command, "queued");
  }

  /** Gives a command to the agent, if it still is in the state in which it was chosen once its input is open. */
  async #give(chosen: StoredCommand, state: "queued" | "sent"): Promise<void> {
    const { store, send, unseal } = this.#deps;
    const { id, type, subject, deadline } = chosen;
    const input = chosen.sealed === null ? null : await unseal(id, chosen.sealed);
    if (store.find(id)?.state !== state || !this.#deps.isConnected()) return;
    if (input === null)
      return this.#end(id, failure("invalid", "the stored input cannot be opened"));
    store.markSent(id);
    if (state === "queued" && !this.#submitting.has(id)) this.#deps.begun(id);
    // A frame that is lost with its connection goes again after the next hello.
    send({ v, t: "command", id, type, subject, deadline, input: JSON.parse(input) });
  }

  /**
   * A connection has begun: what the agent still holds of an end that is known is acknowledged, and what it was given and
   * has not ended goes again. The agent drops what it is already working on.
   */
  async hello(holds: readonly HeldCommand[]): Promise<void> {
    const { store, send } = this.#deps;
    const stale = holds.map(({ id }) => id).filter((id) => !this.#isOpen(id));
    if (stale.length > 0) send({ v, t: "ack", ids: stale });
    const toldSoon = new Set(holds.filter(({ state }) => state === "ended").map(({ id }) => id));
    for (const command of store.sent()) {
      if (!toldSoon.has(command.id)) await this.#give(command, "sent");
    }
    await this.pump();
  }

  async result({ id, outcome }: Extract<AgentFrame, { t: "result" }>): Promise<void> {
    const { store, send } = this.#deps;
    const command = store.find(id);
    // An answer to what was never given is the agent's mistake, not an end.
    if (command?.state === "queued") return;
    if (command) this.#end(id, endOf(command.type, outcome));
    send({ v, t: "ack", ids: [id] });
    await this.pump();
  }

  progress({ id, percent, lines }: Extract<AgentFrame, { t: "progress" }>): void {
    const { store, progressed } = this.#deps;
    if (store.find(id)?.state !== "sent") return;
    store.progress(id, Math.min(percent, 99));
    progressed(id, percent, lines);
  }

  /** Ends what is out of time and forgets what is old; says when to come again. */
  async chores(): Promise<void> {
    const { store, now, send, wakeBy } = this.#deps;
    try {
      for (const { id, state } of store.overdue(now(), ANSWER_GRACE_MS)) {
        if (state === "sent") send({ v, t: "cancel", id });
        this.#end(id, { state: "expired" });
      }
      store.purge(now() - ENDS_KEPT_MS);
      await this.pump();
    } finally {
      const next = store.nextChore(ANSWER_GRACE_MS, ENDS_KEPT_MS);
      if (next !== null) wakeBy(next);
    }
  }

  #isOpen(id: string): boolean {
    const view = this.find(id);
    return view !== null && !hasEnded(view);
  }

  #end(id: string, end: End): void {
    if (!this.#deps.store.end(id, end, this.#deps.now())) return;
    for (const done of [...(this.#waiters.get(id) ?? [])]) done();
    this.#deps.ended(id);
  }

  #view(id: string): CommandViewWire {
    const view = this.find(id);
    if (!view) throw new Error("a command was forgotten while it was taken");
    return view;
  }
}

const FORGOTTEN: CommandViewWire = { state: "cancelled", percent: 0 };

/** What an agent's answer means: a value that is not of the command's shape is no success. */
function endOf(type: string, outcome: CommandOutcome): End {
  if (!outcome.ok) return { state: "failed", error: outcome.error };
  const value = specOf(type)?.result.safeParse(outcome.value);
  if (!value?.success) return failure("version", "the agent's answer does not fit the command");
  return { state: "done", valueJson: JSON.stringify(value.data) };
}
