import { z } from "@hono/zod-openapi";
import { text } from "../schemas/fields.ts";

export const MOST_CHARACTERS = 4_000;
const message = text(1, MOST_CHARACTERS);

/**
 * `{message, session_id?}`, or what the shipped dashboard sends: a whole conversation, of which only the last message
 * of its user counts. What the assistant said is ours to know, never the caller's to tell (TB-19).
 */
export const ChatInput = z
  .object({
    message: message.optional().openapi({ example: "Halo" }),
    session_id: z.string().max(100).nullish().openapi({ example: null }),
    messages: z
      .array(z.object({ role: z.string().max(20), content: z.string().max(20_000) }))
      .max(200)
      .optional()
      .openapi({ example: [{ role: "user", content: "Halo" }] }),
  })
  .transform((given, problem) => {
    const last = given.messages?.findLast(({ role }) => role === "user");
    const words = given.message ?? message.safeParse(last?.content).data;
    if (words === undefined) {
      problem.addIssue({ code: "custom", path: ["message"], message: "Pesan wajib diisi" });
      return z.NEVER;
    }
    const isLater = given.message === undefined && (given.messages?.length ?? 0) > 1;
    return { message: words, sessionId: given.session_id ?? null, latest: isLater };
  })
  .openapi("AssistantChat");
export type ChatInput = z.output<typeof ChatInput>;

export const SessionShape = z
  .object({
    id: z.uuid(),
    title: z.string(),
    messages: z.number().int(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("AssistantSession");

export const SessionDetail = SessionShape.omit({ messages: true })
  .extend({
    messages: z.array(
      z.object({ role: z.enum(["user", "assistant"]), text: z.string(), created_at: z.string() }),
    ),
  })
  .openapi("AssistantSessionDetail");

export const ActionShape = z
  .object({
    id: z.uuid(),
    session_id: z.uuid().nullable(),
    tool: z.string(),
    input: z.record(z.string(), z.unknown()),
    target_kind: z.string().nullable(),
    target_id: z.uuid().nullable(),
    /** The user's own message confirmed it. */
    confirmed: z.boolean(),
    /** Until when it can be undone; null: not at all, or not any more. */
    undo_until: z.string().nullable(),
    undone_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi("AssistantAction");

export const Undone = z
  .object({
    id: z.uuid(),
    /** False where nobody can undo it any more: a post that is out. */
    undone: z.boolean(),
    /** What became of it, in words for the user: not all of what was done may be there any more. */
    message: z.string(),
  })
  .openapi("AssistantUndone");
export type Undone = z.output<typeof Undone>;
