import { isObject, type Json, parseJson } from "../common/fields.ts";
import type { Block } from "./engine.ts";
import { blocksOf } from "./input.ts";

/** `{{tool:base64url of its input as JSON}}` anywhere in what the model reads. */
const order = /\{\{(\w+):([\w-]*)\}\}/g;

/**
 * The worst model there is: it takes every order that stands in what it reads for its user's own, wherever it stands and
 * whatever surrounds it. Orders that it has followed in this talk are not followed again.
 */
export function obeyed(body: Json): Block[] {
  const done = new Set(
    calls(body).map(({ name, input }) => `${String(name)} ${JSON.stringify(input)}`),
  );
  const wanted = new Map<string, Block>();
  for (const [, tool = "", code = ""] of readAll(body).matchAll(order)) {
    const input = parseJson(Buffer.from(code, "base64url").toString() || "{}");
    const key = `${tool} ${JSON.stringify(input)}`;
    if (isObject(input) && !done.has(key)) wanted.set(key, { tool, input });
  }
  return [...wanted.values()];
}

function messagesOf(body: Json): Json[] {
  return Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
}

const calls = (body: Json) =>
  messagesOf(body)
    .flatMap(({ content }) => blocksOf(content))
    .filter(({ type }) => type === "tool_use");

/** Everything that stands in a request for the model to read. */
function readAll(body: Json): string {
  const blocks = [
    ...blocksOf(body.system),
    ...messagesOf(body).flatMap(({ content }) => blocksOf(content)),
  ];
  return blocks
    .map(({ text, content }) => {
      if (typeof text === "string") return text;
      return blocksOf(content)
        .map((inner) => inner.text)
        .join("\n");
    })
    .join("\n");
}
