import { z } from "zod";
import { actorOf } from "../../../shared/context.ts";
import { mayBeDone } from "../../../shared/db/errors.ts";
import { call } from "../../../shared/db/statement.ts";
import { describeError } from "../../../shared/log.ts";
import { act, prepare, UNCERTAIN, wordsOf } from "./act.ts";
import type { Decision } from "./decisions.ts";
import type { Turn, Waiting } from "./turn.ts";

/** Names that others may have written stand in what the server says here. */
const NAMED = { fromOutside: true };

/** What the user is asked, in the server's own words: what he says yes to is what he read here. */
export function askForYes(proposals: Waiting[]): string {
  const [only] = proposals;
  if (!only) return "";
  const list = proposals.map(({ code, summary }) => `• [${code}] ${summary}`).join("\n");
  const how =
    proposals.length === 1
      ? `Balas “ya” atau “konfirmasi ${only.code}” untuk menjalankan, “batal” untuk membatalkan.`
      : `Balas “konfirmasi” dengan kodenya (misalnya “konfirmasi ${only.code}”), “konfirmasi semua”, atau “batal”.`;
  return `⚠️ Menunggu konfirmasi Anda (berlaku 10 menit):\n${list}\n${how}`;
}

/**
 * Does what the user's own message decides about open proposals. No model is asked: it can neither confirm nor colour
 * what is confirmed.
 */
export async function decide(turn: Turn, decision: Decision): Promise<void> {
  const { waiting } = turn.opened;
  if (decision.kind === "none") throw new Error("a turn without a decision asked to decide");
  const { codes, all } = decision;
  const chosen = codes.length > 0 ? waiting.filter(({ code }) => codes.includes(code)) : waiting;
  if (codes.length > 0 && chosen.length === 0)
    return turn.say(`Kode itu tidak ada.\n${askForYes(waiting)}`, NAMED);
  if (decision.kind === "cancel") {
    await cancel(turn, chosen);
    return turn.say(chosen.map(({ summary }) => `Dibatalkan: ${summary}`).join("\n"), NAMED);
  }
  if (chosen.length > 1 && codes.length === 0 && !all) return turn.say(askForYes(waiting), NAMED);
  const lines: string[] = [];
  for (const proposal of chosen) lines.push(await carryOut(turn, proposal));
  turn.say(lines.join("\n"), NAMED);
  await cancel(
    turn,
    waiting.filter((one) => !chosen.includes(one)),
  );
}

async function carryOut(turn: Turn, proposal: Waiting): Promise<string> {
  const { id, tool, input, summary } = proposal;
  try {
    await act(turn, prepare(turn, tool, input), id);
    return `✅ Selesai: ${summary}`;
  } catch (error) {
    const words = wordsOf(turn.ctx, tool, error);
    const isUndone = (await isCalledOff(turn, proposal)) || !mayBeDone(error);
    return isUndone
      ? `❌ Tidak jadi: ${summary}. ${words}`
      : `❔ Belum pasti: ${summary}. ${UNCERTAIN}`;
  }
}

/** True: it had not begun, and now never will. */
async function isCalledOff(turn: Turn, proposal: Waiting): Promise<boolean> {
  try {
    return await cancel(turn, [proposal]);
  } catch (error) {
    turn.ctx.log.warn("proposal not called off", describeError(error));
    return false;
  }
}

/** Whether all were still open. */
async function cancel(turn: Turn, proposals: Waiting[]): Promise<boolean> {
  if (proposals.length === 0) return true;
  const ids = proposals.map(({ id }) => id);
  const input = { ids, user_id: actorOf(turn.ctx).userId };
  return await turn.ctx.db.run(call("market_assistant_cancel", input, z.boolean()));
}
