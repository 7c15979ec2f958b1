import { z } from "zod";
import type { ModelMessage } from "../../../shared/providers/anthropic.ts";

const text = z.object({ type: z.literal("text"), text: z.string() });
const call = z.object({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
});
const result = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.string(),
  is_error: z.boolean().optional(),
});

/** A stored message, and whether text from outside may stand in it: it was said in a turn that had read some. */
export const Said = z
  .discriminatedUnion("role", [
    z.object({
      role: z.literal("user"),
      content: z.array(z.discriminatedUnion("type", [text, result])),
      from_outside: z.boolean(),
    }),
    z.object({
      role: z.literal("assistant"),
      content: z.array(z.discriminatedUnion("type", [text, call])),
      from_outside: z.boolean(),
    }),
  ])
  .transform(({ from_outside: fromOutside, ...message }) => ({ message, fromOutside }));
export type Said = { message: ModelMessage; fromOutside: boolean };

/** How much of what was said is told to the model again. */
const MOST_CHARACTERS = 24_000;

/**
 * The latest part of a talk that fits. It begins where the user says something, so that no result of a tool stands
 * there without its call.
 */
export function trimmed(history: Said[], most = MOST_CHARACTERS): Said[] {
  let length = 0;
  let start = history.length;
  for (let i = history.length - 1; i >= 0; i -= 1) {
    const said = history[i];
    if (!said) break;
    length += JSON.stringify(said.message.content).length;
    if (length > most) break;
    if (isQuestion(said.message)) start = i;
  }
  return history.slice(start);
}

const isQuestion = ({ role, content }: ModelMessage) =>
  role === "user" && content.every(({ type }) => type === "text");
