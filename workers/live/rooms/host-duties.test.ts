import { expect, it } from "vitest";
import type { Ctx } from "../../../shared/context.ts";
import type { Statement } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { join, onStage, user } from "../testing/stage.ts";
import { doHostDuties } from "./host-duties.ts";

/** A database that takes every word, and how many sessions each statement named. */
function takesAll() {
  const calls: number[] = [];
  const run = async <T>({ params }: Statement<T>) => {
    const { renewals } = JSON.parse(String(params[0]));
    calls.push(renewals.length);
    return renewals.map(({ session_id }: { session_id: number }) => session_id) as T;
  };
  const ctx = testContext();
  return { calls, ctx: { ...ctx, db: Object.assign(Object.create(ctx.db), { run }) } as Ctx };
}

it("word of many lives is one statement, and of a crowd several: no lease waits for all names at once", () =>
  onStage("live", async (stage) => {
    for (const hostId of [7, 8, 9]) {
      await stage.do("s1", join(`h${hostId}`, user(hostId)));
      const news = { roomId: stage.room.roomId, hostId, hostName: "Ibu", sessionId: hostId * 10 };
      stage.room.tellLive({ ...news, state: "started" });
    }
    const { ctx, calls } = takesAll();
    await doHostDuties(ctx, stage);
    expect(calls.splice(0)).toEqual([3]);
    for (let i = 1; i <= 10_000; i += 1) stage.turnout.came(`g:${i}:x`);
    for (const hostId of [7, 8, 9]) stage.hosting.came(hostId, stage.now, true);
    await doHostDuties(ctx, stage);
    expect(calls).toEqual([1, 1, 1]);
    expect(stage.hosting.list().every(({ toldTo }) => toldTo === stage.turnout.mark)).toBe(true);
  }));
