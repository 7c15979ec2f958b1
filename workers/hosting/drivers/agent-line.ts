import {
  type AgentError,
  type AskType,
  type CommandType,
  type GivenOf,
  type ResultOf,
  specOf,
} from "../../../shared/agent-protocol/index.ts";
import type { CommandView, Link } from "../../panel/index.ts";
import type { HostResult, Refusal } from "./driver.ts";
import { done, refused } from "./results.ts";

/** How the driver speaks to a server's agent: in commands and questions, answered in hosting's three ways. */
export interface AgentLine {
  tell<T extends CommandType>(type: T, input: GivenOf<T>): Promise<HostResult<ResultOf<T>>>;
  ask<T extends AskType>(type: T, input: GivenOf<T>): Promise<HostResult<ResultOf<T>>>;
}

export interface LinePauses {
  /** For a command that takes a moment; for those that may take minutes; for a question. */
  commandMs: number;
  longMs: number;
  askMs: number;
}

const PAUSES: LinePauses = { commandMs: 60_000, longMs: 290_000, askMs: 15_000 };
/** A command outlives its caller's patience by this, so that it is taken back and does not just run out. */
const MARGIN_MS = 30_000;
/** One call of the object waits no longer. */
const WAIT_MS = 20_000;
const LONG: ReadonlySet<string> = new Set(["ssl.issue", "file.extract"]);

/** A command is taken back when nobody has taken it in time: nothing happens on a server behind hosting's back. */
export function agentLine(link: Link, now: () => Date, pauses: LinePauses = PAUSES): AgentLine {
  return {
    tell: async (type, input) => {
      const spec = specOf(type);
      const parsed = spec?.input.safeParse(input);
      if (!parsed?.success) return refused("invalid", `${type}: the agent knows no such input`);
      const waitMs = LONG.has(type) ? pauses.longMs : pauses.commandMs;
      const id = crypto.randomUUID();
      try {
        const command = { id, type, input: parsed.data, seq: nextTurn(now()) };
        const deadlineAt = new Date(now().getTime() + waitMs + MARGIN_MS);
        await link.submit({ ...command, subject: subjectOf(parsed.data), deadlineAt });
        return await ended(link, { id, type, waitMs });
      } catch {
        return { state: "unknown", detail: `${type}: the server's link failed` };
      }
    },
    ask: async (type, input) => {
      const parsed = specOf(type)?.input.safeParse(input);
      if (!parsed?.success) return refused("invalid", `${type}: the agent knows no such input`);
      try {
        const answer = await link.ask(type, input, pauses.askMs);
        if (answer.state === "answered") return done(answer.value);
        if (answer.state === "refused") return refusalOf(type, answer.error);
        if (answer.state === "offline") return offline(type);
        return { state: "unknown", detail: `${type}: no answer in time` };
      } catch {
        return { state: "unknown", detail: `${type}: the server's link failed` };
      }
    },
  };
}

let turns = 0;
/** Of one subject the earlier order goes first, and behind what the panel has ordered, whose turns are small numbers. */
function nextTurn(now: Date): number {
  turns = (turns + 1) % 1_000;
  return now.getTime() * 1_000 + turns;
}

/** What belongs to one site is done one after another; so are all databases. */
function subjectOf(input: unknown): string {
  if (typeof input !== "object" || input === null) return "agent";
  if ("site" in input) return subjectOf(input.site);
  return "siteId" in input ? `site/${input.siteId}` : "db";
}

async function ended<T extends CommandType>(
  link: Link,
  { id, type, waitMs }: { id: string; type: T; waitMs: number },
): Promise<HostResult<ResultOf<T>>> {
  let view: CommandView | null = null;
  for (let waited = 0; waited < waitMs; waited += WAIT_MS) {
    view = await link.wait(id, Math.min(WAIT_MS, waitMs - waited));
    if (view === null || !["queued", "sent"].includes(view.state)) break;
  }
  if (view?.state === "queued" && (await link.cancel(id))) {
    await link.forget([id]);
    return offline(type);
  }
  const result = outcomeOf(type, view);
  // What is unknown here stays known there, until its deadline.
  if (result.state !== "unknown") await link.forget([id]);
  return result;
}

function outcomeOf<T extends CommandType>(
  type: T,
  view: CommandView | null,
): HostResult<ResultOf<T>> {
  if (view?.state === "done") return done(specOf(type)?.result.parse(view.value) as ResultOf<T>);
  if (view?.state === "failed" && view.error) return refusalOf(type, view.error);
  if (view?.state === "cancelled") return offline(type);
  return { state: "unknown", detail: `${type}: not ended in time` };
}

const offline = (type: string): HostResult<never> => ({
  ...{ state: "refused", reason: "unavailable", retryable: true },
  detail: `${type}: the server is offline`,
});

const REASONS: Record<AgentError["code"], Refusal | "unknown"> = {
  invalid: "invalid",
  exists: "exists",
  conflict: "exists",
  not_found: "not_found",
  broken_config: "unavailable",
  disk_full: "unavailable",
  unavailable: "unavailable",
  tool_failed: "refused",
  integrity: "refused",
  version: "refused",
  // It was stopped on its way.
  timeout: "unknown",
  cancelled: "unknown",
};

/** A server whose configuration or disk somebody has to see to is asked again later. */
const MAY_PASS = new Set<AgentError["code"]>(["broken_config", "disk_full", "unavailable"]);

function refusalOf(type: string, { code, message, retryable }: AgentError): HostResult<never> {
  const detail = `${type}: ${message}`;
  const reason = REASONS[code];
  if (reason === "unknown") return { state: "unknown", detail };
  return { state: "refused", reason, retryable: retryable || MAY_PASS.has(code), detail };
}
