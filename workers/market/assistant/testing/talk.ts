import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { api, fetchWorker, standIns, testContext } from "../../../testing/api.ts";
import { type TestUser, unique } from "../../../testing/factories.ts";

export interface Answer {
  status: number;
  headers: Headers;
  raw: string;
  /** All words of the stream, one after the other. */
  text: string;
  errors: string[];
  sessionId: string;
}

/** One message to the assistant and everything that it answers. */
export async function ask(
  user: TestUser,
  message: string,
  sessionId?: string | null,
): Promise<Answer> {
  const json = { message, ...(sessionId ? { session_id: sessionId } : {}) };
  return await answerOf(
    await fetchWorker("/api/ai/chat", { method: "POST", token: user.token, json }),
  );
}

export async function answerOf(response: Response): Promise<Answer> {
  const raw = await response.text();
  const isStream = response.headers.get("content-type")?.includes("event-stream");
  const events = isStream ? eventsOf(raw) : [];
  const field = (name: string) =>
    events.flatMap((event) => (typeof event[name] === "string" ? [event[name]] : []));
  return {
    status: response.status,
    headers: response.headers,
    raw,
    text: field("text").join(""),
    errors: field("error"),
    sessionId: response.headers.get("x-session-id") ?? "",
  };
}

const Event = z.record(z.string(), z.string());

function eventsOf(raw: string): Record<string, string>[] {
  const lines = raw.split("\n\n").filter(Boolean);
  if (lines.pop() !== "data: [DONE]") throw new Error(`the stream has no end: ${raw.slice(-200)}`);
  return lines.map((line) => Event.parse(JSON.parse(line.replace(/^data: /, ""))));
}

export interface ScriptTurn {
  blocks?: ({ text: string } | { tool: string; input: unknown })[];
  [option: string]: unknown;
}

/** Has the model answer messages that hold a word of this test's own; the word stands for the script. */
export async function script(
  turns: ScriptTurn[],
  options: { loop?: boolean } = {},
): Promise<string> {
  const match = unique("naskah");
  await put("/_scripts", { match, turns, ...options });
  return match;
}

export async function put(path: string, body: unknown): Promise<void> {
  const { ok } = await fetch(standIns().anthropic + path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!ok) throw new Error(`the twin refused ${path}`);
}

const Block = z.record(z.string(), z.unknown());
const Asked = z.object({
  asked: z.array(
    z.object({
      body: z.object({
        model: z.string(),
        max_tokens: z.number(),
        system: z.array(Block),
        tools: z.array(Block),
        messages: z.array(z.object({ role: z.string(), content: z.array(Block) })),
      }),
      headers: z.record(z.string(), z.string()),
      left: z.boolean(),
    }),
  ),
});

/** What the model was asked in talks that hold this word. */
export async function asked(match: string) {
  const response = await fetch(`${standIns().anthropic}/_asked?match=${match}`);
  return Asked.parse(await response.json()).asked;
}

/** What tools answered the model, over all rounds, in order. */
export async function toolResults(
  match: string,
): Promise<{ content: string; is_error: boolean }[]> {
  const last = (await asked(match)).at(-1);
  return (last?.body.messages ?? [])
    .flatMap(({ content }) => content)
    .filter(({ type }) => type === "tool_result")
    .map(({ content, is_error: isError }) => ({
      content: String(content),
      is_error: isError === true,
    }));
}

/** Of one row, as JSON. */
export async function rowOf(table: string, id: string): Promise<Record<string, unknown>> {
  const [found] = await testContext().db.run(
    rows(
      sql`select to_jsonb(t) as row from ${sql.identifier(table)} t where t.id::text = ${id}`,
      z.object({ row: z.record(z.string(), z.unknown()) }),
    ),
  );
  if (!found) throw new Error(`no ${id} in ${table}`);
  return found.row;
}

/** What the assistant did for a user, the latest first. */
export async function actionsOf(user: TestUser) {
  return (await api("/api/ai/actions", { token: user.token })).body.data;
}

export const undo = (user: TestUser, id: string) =>
  api(`/api/ai/undo/${id}`, { method: "POST", token: user.token });
