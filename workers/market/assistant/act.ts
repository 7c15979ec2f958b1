import { ZodError, z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { randomBase32 } from "../../../shared/crypto/random-code.ts";
import { mayBeDone } from "../../../shared/db/errors.ts";
import { call } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { inputError } from "../../../shared/http/api.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { describeError } from "../../../shared/log.ts";
import type { ToolResultBlock, ToolUseBlock } from "../../../shared/providers/anthropic.ts";
import { requireFeature } from "../admin/features.ts";
import { isUuid } from "../schemas/fields.ts";
import { asData } from "./data.ts";
import { toolsFor } from "./tools/index.ts";
import type { Done, Made, Prepared } from "./tools/tool.ts";
import type { Turn, Waiting } from "./turn.ts";

const MOST_CALLS = 16;
const MOST_PROPOSALS = 5;

const Fields = z.record(z.string(), z.unknown());
const NeedsYes = z.object({
  assistant: z.literal("confirm"),
  reason: z.string(),
  before: Fields.nullable(),
  names: z.record(z.string(), z.string()),
});

/** Answers one call of the model. It never throws: what goes wrong is told to the model in words. */
export async function answerCall(
  turn: Turn,
  { id, name, input }: ToolUseBlock,
): Promise<{ result: ToolResultBlock; fromOutside: boolean }> {
  const answer = (content: string, isError = false, fromOutside = false) => ({
    result: {
      type: "tool_result" as const,
      tool_use_id: id,
      content,
      ...(isError ? { is_error: true } : {}),
    },
    fromOutside,
  });
  try {
    turn.calls += 1;
    if (turn.calls > MOST_CALLS)
      throw new AppError("conflict", "Terlalu banyak tindakan sekaligus");
    const prepared = prepare(turn, name, input);
    const outcome = await attempt(turn, prepared);
    if (outcome.kind === "proposed") return answer(PROPOSED);
    const { told, source } = outcome.done;
    return source ? answer(asData(source, told), false, true) : answer(JSON.stringify(told));
  } catch (error) {
    const isUnanswered = error instanceof AppError && mayBeDone(error);
    return answer(isUnanswered ? UNCERTAIN : wordsOf(turn.ctx, name, error), true);
  }
}

/** Of what may have been done: a model that hears of a failure tries it again. */
export const UNCERTAIN =
  "Layanan tidak menjawab, jadi belum pasti apakah ini terlaksana. Periksa dulu keadaannya, jangan langsung diulang.";

const PROPOSED =
  "Menunggu konfirmasi pengguna. Server menampilkan rinciannya; belum ada yang dilakukan. Jangan panggil alat ini lagi.";

/** The call as its tool understands it; one that the user's roles do not have is as unknown as any other. */
export function prepare(turn: Turn, name: string, input: unknown): Prepared {
  const tool = toolsFor(turn.opened.roles).find(({ definition }) => definition.name === name);
  if (!tool) throw notFound(`Alat ${name.slice(0, 64)} tidak ada`);
  const prepared = tool.prepare(input);
  const { targetId } = prepared;
  if (targetId !== undefined && !isUuid(targetId)) throw notFound("Tidak ditemukan");
  return prepared;
}

type Outcome = { kind: "done"; done: Done } | { kind: "proposed" };

async function attempt(turn: Turn, prepared: Prepared): Promise<Outcome> {
  try {
    return { kind: "done", done: await act(turn, prepared, null) };
  } catch (error) {
    const needed = error instanceof AppError ? NeedsYes.safeParse(error.meta).data : undefined;
    if (!needed) throw error;
    await propose(turn, prepared, needed);
    return { kind: "proposed" };
  }
}

/**
 * Runs a tool's verb as its user. Whether it may, and what it needs, is decided in the transaction of the verb's first
 * statement (market_assistant_act): neither the model nor this code can pass that by.
 */
export async function act(
  turn: Turn,
  prepared: Prepared,
  proposalId: string | null,
): Promise<Done> {
  const { ctx, opened } = turn;
  const { tool, input, targetId } = prepared;
  const { userId, sessionId: signIn } = actorOf(ctx);
  const actionId = uuidv7(ctx.now());
  const gate = {
    sign_in: signIn,
    user_id: userId,
    role: tool.role,
    writes: tool.writes,
    session_id: opened.session_id,
    turn_id: turn.id,
    action_id: actionId,
    tool: tool.definition.name,
    input,
    target_id: targetId ?? null,
    from_outside: turn.fromOutside,
    own_words: turn.ownWords,
    proposal_id: proposalId,
    ...auditContext(ctx),
  };
  // Its gate is this call's alone.
  const own = { ...ctx, db: ctx.db.beside() };
  let isBegun = false;
  own.db.guard({
    statement: call("market_assistant_act", gate, z.unknown()),
    passed: () => {
      isBegun = tool.writes;
    },
  });
  if (tool.feature) own.db.also(requireFeature(own, tool.feature));
  const done = await prepared.run(own, actionId).catch(async (error: unknown) => {
    const isRefused = error instanceof AppError && !mayBeDone(error);
    if (isBegun && isRefused) await noteRefusal(ctx, actionId, error);
    throw error;
  });
  if (done.made) await noteMade(ctx, actionId, done.made);
  return done;
}

/** The gate knows what was made by the act's id, and nearly all of how it is: what was done does not fail over the rest. */
async function noteMade(ctx: Ctx, actionId: string, made: Made): Promise<void> {
  const target = { target_kind: made.kind, target_id: made.id, after: made.after };
  const input = { action_id: actionId, user_id: actorOf(ctx).userId, ...target };
  try {
    await ctx.db.run(call("market_assistant_made", input, z.boolean()));
  } catch (error) {
    ctx.log.warn("what an act made is not noted", { actionId, ...describeError(error) });
  }
}

/** A verb that looks first and writes later may refuse after the gate: then the log does not say that it was done. */
async function noteRefusal(ctx: Ctx, actionId: string, { code }: AppError): Promise<void> {
  const refused = { action_id: actionId, user_id: actorOf(ctx).userId, code, ...auditContext(ctx) };
  await ctx.db.run(call("market_assistant_failed", refused, z.boolean()));
}

async function propose(
  turn: Turn,
  prepared: Prepared,
  { before, names }: z.output<typeof NeedsYes>,
): Promise<void> {
  if (turn.proposals.length >= MOST_PROPOSALS) {
    throw new AppError("conflict", "Terlalu banyak usulan sekaligus; selesaikan dulu yang ada");
  }
  const { tool, input } = prepared;
  const proposal: Waiting = {
    id: uuidv7(turn.ctx.now()),
    code: newCode(turn.proposals),
    tool: tool.definition.name,
    input,
    summary: prepared.summary(before, names),
  };
  await turn.ctx.db.run(
    call(
      "market_assistant_propose",
      {
        ...proposal,
        session_id: turn.opened.session_id,
        user_id: actorOf(turn.ctx).userId,
        turn_id: turn.id,
        before,
      },
      z.boolean(),
    ),
  );
  turn.proposals.push(proposal);
}

/** Four symbols with a digit among them, so that no word is taken for one. */
function newCode(taken: Waiting[]): string {
  for (;;) {
    const code = randomBase32(4);
    if (/\d/.test(code) && !taken.some((one) => one.code === code)) return code;
  }
}

/** What went wrong, in words that a person may read. */
export function wordsOf(ctx: Ctx, name: string, error: unknown): string {
  if (error instanceof ZodError) return inputError(error).message;
  if (error instanceof AppError && error.code !== "internal") {
    return error.message || "Anda tidak berhak melakukan ini";
  }
  ctx.log.error("tool of the assistant failed", {
    tool: name.slice(0, 64),
    ...describeError(error),
  });
  return "Gagal karena gangguan di pihak kami. Tidak perlu dicoba lagi sekarang.";
}
