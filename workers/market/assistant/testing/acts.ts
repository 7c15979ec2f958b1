import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import type { TestUser } from "../../../testing/factories.ts";
import { act, answerCall, prepare } from "../act.ts";
import { openEventStream } from "../sse.ts";
import type { Done } from "../tools/tool.ts";
import { beginTurn, Turn } from "../turn.ts";

type Input = Record<string, unknown>;

/** Has a tool act with its user's yes, without a model; `between` happens before he says it. */
export async function actWithYes(
  ctx: Ctx,
  [name, input]: [string, Input],
  between: () => unknown = () => undefined,
): Promise<Done> {
  const message = "tolong";
  const asked = { message, sessionId: null, latest: false };
  const begun = await beginTurn(ctx, asked, { kind: "none" });
  const turn = new Turn(ctx, { ...begun, out: openEventStream(), message });
  const { result } = await answerCall(turn, { type: "tool_use", id: "t1", name, input });
  const [proposal] = turn.proposals;
  if (!proposal) throw new Error(`nothing was proposed: ${result.content}`);
  await between();
  return await act(turn, prepare(turn, name, input), proposal.id);
}

/** The same; answers the act's name in the log. */
export async function doneBy(seller: TestUser, call: [string, Input]): Promise<string> {
  await actWithYes(testContext(seller), call);
  const [last] = await testContext().db.run(
    rows(
      sql`select id from market_assistant_actions where user_id = ${seller.userId}
        order by created_at desc, id desc limit 1`,
      z.object({ id: z.string() }),
    ),
  );
  if (!last) throw new Error("nothing was done");
  return last.id;
}
