import { Fields, isObject, type Json } from "../common/fields.ts";

/** Fields of a request that the Messages API knows; any other is refused. */
const known = new Set([
  ...["model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "metadata"],
  ...[
    "stop_sequences",
    "service_tier",
    "thinking",
    "cache_control",
    "temperature",
    "top_p",
    "top_k",
  ],
]);

/** Refused from version 2026-10-21 on (anthropic.md §1). */
const gone = ["temperature", "top_p", "top_k"];
const mostMarks = 4;

const isText = (block: unknown): block is { type: "text"; text: string } =>
  isObject(block) && block.type === "text" && typeof block.text === "string";

/** The blocks of a message or of the system prompt; a plain text is one block. */
export function blocksOf(content: unknown): Json[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content.filter(isObject) : [];
}

/** Every mistake of a request, as the API would name the first of them. */
export function mistakesOf(body: unknown, version: string): string[] {
  const fields = new Fields(body);
  if (!isObject(body)) return fields.errors;
  for (const name of Object.keys(body)) {
    if (!known.has(name)) fields.fail(name, "Extra inputs are not permitted");
    if (gone.includes(name) && version >= "2026-10-21") fields.fail(name, "is not supported");
  }
  fields.text("model", { required: true });
  fields.int("max_tokens", { required: true, min: 1 });
  checkSystem(fields);
  checkTools(fields);
  checkMessages(fields);
  if (countMarks(body) > mostMarks) {
    fields.fail(
      "cache_control",
      `A maximum of ${mostMarks} blocks with cache_control may be provided`,
    );
  }
  checkMarks(fields, body);
  return fields.errors;
}

function checkSystem(fields: Fields): void {
  const system = fields.raw("system");
  if (system === undefined || typeof system === "string") return;
  if (!Array.isArray(system)) {
    fields.fail("system", "must be text or blocks of text");
    return;
  }
  system.forEach((block, i) => {
    if (!isText(block) || block.text === "") {
      fields.fail(`system.${i}`, "text content blocks must be non-empty");
    }
  });
}

function checkTools(fields: Fields): void {
  const names = new Set<unknown>();
  fields.list("tools").forEach((tool, i) => {
    const at = fields.at("tools", i, tool);
    const name = at.text("name", { required: true, pattern: /^[a-zA-Z0-9_-]{1,64}$/ });
    at.text("description");
    if (at.inner("input_schema").raw("type") !== "object") {
      at.fail("input_schema.type", "must be object");
    }
    if (names.has(name)) at.fail("name", "Tool names must be unique");
    names.add(name);
  });
}

/** Calls and results stand side by side: each call is answered at the head of the very next message. */
function checkMessages(fields: Fields): void {
  const messages = fields.list("messages", { required: true, min: 1 });
  const ids = new Set<unknown>();
  let open: unknown[] = [];
  messages.forEach((message, i) => {
    const at = fields.at("messages", i, message);
    const role = at.text("role", { required: true, oneOf: ["user", "assistant"] });
    if (i === 0 && role !== "user") at.fail("role", "first message must use the user role");
    const content = at.raw("content");
    const blocks = blocksOf(content);
    if (blocks.length === 0) at.fail("content", "must be text or at least one block");
    const wanted = open;
    open = [];
    if (role === "user") checkResults(at, blocks, wanted);
    else if (wanted.length > 0) at.fail("content", unanswered(wanted));
    for (const block of blocks) checkBlock(at, block, role, { ids, open });
  });
  if (open.length > 0) fields.fail("messages", unanswered(open));
}

const unanswered = (ids: unknown[]) =>
  `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(", ")}`;

function checkResults(at: Fields, blocks: Json[], wanted: unknown[]): void {
  const given = blocks.filter(({ type }) => type === "tool_result");
  const answered = given.map((block) => block.tool_use_id);
  const missing = wanted.filter((id) => !answered.includes(id));
  if (missing.length > 0) at.fail("content", unanswered(missing));
  for (const id of answered) {
    if (!wanted.includes(id)) {
      at.fail(
        "content",
        `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(id)}`,
      );
    }
  }
  if (new Set(answered).size !== answered.length) at.fail("content", "a call is answered twice");
  const firstOther = blocks.findIndex(({ type }) => type !== "tool_result");
  if (firstOther >= 0 && blocks.slice(firstOther).some(({ type }) => type === "tool_result")) {
    at.fail("content", "`tool_result` blocks must come first");
  }
}

function checkBlock(
  at: Fields,
  block: Json,
  role: string | undefined,
  seen: { ids: Set<unknown>; open: unknown[] },
): void {
  switch (block.type) {
    case "text":
      if (!isText(block) || block.text.trim() === "") {
        at.fail("content", "text content blocks must be non-empty");
      }
      return;
    case "tool_use":
      if (role !== "assistant")
        at.fail("content", "`tool_use` blocks can only be in `assistant` messages");
      if (
        typeof block.id !== "string" ||
        typeof block.name !== "string" ||
        !isObject(block.input)
      ) {
        at.fail("content", "tool_use needs id, name and input");
      }
      if (seen.ids.has(block.id)) at.fail("content", "`tool_use` ids must be unique");
      seen.ids.add(block.id);
      seen.open.push(block.id);
      return;
    case "tool_result":
      if (role !== "user")
        at.fail("content", "`tool_result` blocks can only be in `user` messages");
      return;
    default:
      at.fail("content", `block type ${String(block.type)} is not known here`);
  }
}

/** Every block of a request, in the order of its cached prefix: tools, system, messages. */
export function prefixOf(body: Json): Json[] {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  return [
    ...blocksOf(body.tools),
    ...blocksOf(body.system),
    ...messages.flatMap(({ content }) => blocksOf(content)),
  ];
}

const countMarks = (body: Json) =>
  prefixOf(body).filter((block) => block.cache_control !== undefined).length;

function checkMarks(fields: Fields, body: Json): void {
  for (const { cache_control: mark } of prefixOf(body)) {
    if (mark === undefined || mark === null) continue;
    const fits =
      isObject(mark) &&
      mark.type === "ephemeral" &&
      [undefined, "5m", "1h"].some((ttl) => ttl === mark.ttl);
    if (!fits) fields.fail("cache_control", "must be of type ephemeral, with ttl 5m or 1h");
  }
}
