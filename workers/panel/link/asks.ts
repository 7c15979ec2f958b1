import {
  type CommandOutcome,
  type EdgeFrame,
  PROTOCOL_VERSION,
  specOf,
} from "../../../shared/agent-protocol/index.ts";
import type { AnswerWire } from "./views.ts";

/** Questions that wait for the agent's answer. They live in memory: their callers wait as long as this object is up. */
export class Asks {
  readonly #pending = new Map<string, { type: string; settle(answer: AnswerWire): void }>();
  readonly #send: (frame: EdgeFrame) => boolean;

  constructor(send: (frame: EdgeFrame) => boolean) {
    this.#send = send;
  }

  async ask(type: string, inputJson: string, waitMs: number): Promise<AnswerWire> {
    const id = crypto.randomUUID();
    const answer = new Promise<AnswerWire>((resolve) => {
      const settle = (answer: AnswerWire) => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => settle({ state: "timeout" }), waitMs);
      this.#pending.set(id, { type, settle });
    });
    const input: unknown = JSON.parse(inputJson);
    if (!this.#send({ v: PROTOCOL_VERSION, t: "ask", id, type, input })) this.#settle(id, OFFLINE);
    return await answer;
  }

  answered(id: string, outcome: CommandOutcome): void {
    const asked = this.#pending.get(id);
    asked?.settle(answerOf(asked.type, outcome));
  }

  /** The connection that they went out on is gone. */
  dropped(): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, OFFLINE);
  }

  #settle(id: string, answer: AnswerWire): void {
    this.#pending.get(id)?.settle(answer);
  }
}

/** What an agent's answer means: a value that is not of the question's shape is none. */
function answerOf(type: string, outcome: CommandOutcome): AnswerWire {
  if (!outcome.ok) return { state: "refused", error: outcome.error };
  const value = specOf(type)?.result.safeParse(outcome.value);
  if (value?.success) return { state: "answered", valueJson: JSON.stringify(value.data) };
  const message = "the agent's answer does not fit the question";
  return { state: "refused", error: { code: "version", message, retryable: false } };
}

const OFFLINE: AnswerWire = { state: "offline" };
