import { sql } from "drizzle-orm";
import { z } from "zod";
import type {
  CommandFrame,
  CommandOutcome,
  SiteFacts,
} from "../../../shared/agent-protocol/index.ts";
import { PROTOCOL_VERSION } from "../../../shared/agent-protocol/index.ts";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { api, testContext } from "../../testing/api.ts";
import { type TestUser, unique } from "../../testing/factories.ts";
import { panelCommand } from "../commands.ts";
import { getJob, type PanelJob } from "../jobs.ts";
import { connected, type TestAgent, type TestServer } from "./agents.ts";

export const success = (value: unknown): CommandOutcome => ({ ok: true, value });
export const failure = (
  code: Extract<CommandOutcome, { ok: false }>["error"]["code"],
  message = "it cannot be done",
): CommandOutcome => ({ ok: false, error: { code, message, retryable: false } });

const FACTS = {
  ...{ issuer: "Uji", serial: "01", staging: false },
  ...{ notBefore: "2026-11-01T00:00:00Z", notAfter: "2027-01-30T00:00:00Z" },
};

/** What a willing agent answers. */
export function goodAnswer({ type, input }: { type: string; input: unknown }): CommandOutcome {
  const given = input as Record<string, unknown>;
  switch (type) {
    case "site.provision":
    case "site.suspend":
    case "site.resume":
    case "site.set-document-root":
      return success({ site: factsOf(given), httpStatus: 200 });
    case "site.deprovision":
      return success({ removedFiles: given.removeFiles });
    case "db.list":
      return success({
        databases: [
          { name: "sys", system: true },
          { name: "mysql", system: true },
          { name: "toko", system: false },
        ],
      });
    case "db.create":
      return success({ database: given.database, created: true });
    case "db.create-user":
      return success({ username: given.username, host: given.host, created: true });
    case "db.drop":
    case "db.drop-user":
      return success({ dropped: true });
    case "ssl.issue":
      return success({
        certificate: {
          ...FACTS,
          domain: given.domain,
          names: [given.domain],
          staging: given.staging,
        },
        issued: true,
      });
    case "ssl.renew":
      return success({ certificates: [], renewed: [], failed: [] });
    default:
      return failure("invalid", `no answer to ${type}`);
  }
}

function factsOf(given: Record<string, unknown>): SiteFacts {
  return {
    ...{ siteId: String(given.siteId), domain: String(given.domain), aliases: [] },
    ...{ rootPath: String(given.rootPath), documentRoot: String(given.documentRoot ?? "") },
    ...{ runtime: "php" as const, phpVersion: "8.2", unixUser: String(given.unixUser) },
    suspended: false,
    note: "",
    lastDay: null,
  };
}

type Answering = (command: { type: string; input: unknown }) => CommandOutcome | null;

/** An agent that answers what it is told and asked; null: it takes the command and says nothing. */
export class ScriptedAgent {
  readonly agent: TestAgent;
  #handled = 0;
  #stopped = false;
  readonly #answer: Answering;

  constructor(agent: TestAgent, answer: Answering) {
    this.agent = agent;
    this.#answer = answer;
    void this.#serve();
  }

  /** The commands that it was given, in order, of one type. */
  given(type: string): CommandFrame[] {
    return this.agent.commands.filter((command) => command.type === type);
  }

  stop(): void {
    this.#stopped = true;
    this.agent.close();
  }

  async #serve(): Promise<void> {
    while (!this.#stopped) {
      await this.agent
        .until(({ frames }) => frames.length > this.#handled || this.#stopped)
        .catch(() => undefined);
      for (const frame of this.agent.frames.slice(this.#handled)) {
        this.#handled += 1;
        if (frame.t !== "command" && frame.t !== "ask") continue;
        const outcome = this.#answer(frame);
        if (!outcome || this.#stopped) continue;
        const t = frame.t === "ask" ? "answer" : "result";
        this.agent.send({ v: PROTOCOL_VERSION, t, id: frame.id, outcome });
      }
    }
  }
}

export const scripted = async (server: TestServer, answer: Answering = goodAnswer) =>
  new ScriptedAgent(await connected(server), answer);

/** A verb's context, as that operator, whose wake-ups go nowhere: the test runs jobs when it likes. */
export function quietContext(operator: TestUser): Ctx {
  const { ctx } = contextWithQueues();
  return { ...ctx, actor: operator };
}

/** The platform's id of a panel job. */
export async function uuidOf(id: string): Promise<string> {
  const [row] = await testContext().db.run(
    rows(sql`select job_id from panel_jobs where id = ${id}`, z.object({ job_id: z.string() })),
  );
  if (!row) throw new Error("no such job");
  return row.job_id;
}

/** Runs a job now, as the queue would soon, and waits for its end whoever runs it. */
export async function ran(id: string): Promise<PanelJob> {
  const { ctx } = contextWithQueues();
  await runJob(ctx, await uuidOf(id), [panelCommand({ stayMs: 5_000 })]);
  return await eventually(
    () => getJob(testContext(), id),
    ({ finished_at }) => finished_at !== undefined,
    `the end of ${id}`,
  );
}

/** A domain and a folder that no other test has. */
export function newSiteBody(changes: Record<string, unknown> = {}) {
  const name = unique("situs");
  return {
    ...{ domain: `${name}.example`, root_path: `/var/www/${name}`, runtime: "php" },
    ...changes,
  };
}

/** Below the longest a test may take; a machine that does other things as well needs it. */
const PATIENCE_MS = 25_000;

/** Asks until what is asked for has come to be: the queue and the agent work beside the test. */
export async function eventually<T>(
  read: () => Promise<T>,
  holds: (seen: T) => boolean,
  what: string,
): Promise<T> {
  const late = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await read();
    if (holds(seen)) return seen;
    if (Date.now() > late) throw new Error(`${what} did not come: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const getOf = async (operator: TestUser, path: string) =>
  await api(path, { token: operator.token });
