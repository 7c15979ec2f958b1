import { describe, expect, it } from "vitest";
import { api } from "../testing/api.ts";
import { createUser, unique } from "../testing/factories.ts";
import { createOperator, eventually, trailOf } from "./testing/operators.ts";

describe("refused calls", () => {
  it("are each in the trail, however many in a minute and about one thing", async () => {
    const [operator, other] = [await createOperator(), await createUser(["buyer"])];
    const json = { domain: "toko.example", root_path: "/var/www/toko", runtime: "php" };
    const call = { method: "POST", token: other.token, json };
    for (let i = 0; i < 29; i += 1) expect((await api("/v1/sites", call)).status).toBe(403);
    const counts = await refusalsOf(operator, { actor_user: `usr_${other.userId}` }, 29);
    expect(counts).toEqual(Array(29).fill(1));
  });

  it("beyond fifty a minute are counted, none is lost and no table fills", async () => {
    const [operator, other] = [await createOperator(), await createUser(["buyer"])];
    const path = `/v1/sites/${unique("site")}`;
    await Promise.all(
      Array.from({ length: 60 }, () => api(path, { method: "DELETE", token: other.token })),
    );
    const found = await refusalsOf(operator, { actor_user: `usr_${other.userId}` }, 60);
    expect(found.length).toBeLessThanOrEqual(50);
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(60);
  });

  it("with a bad token are in the trail as nobody's, from the address that they came from", async () => {
    const [operator, id] = [await createOperator(), unique("site")];
    const address = "2001:db8::77";
    await api(`/v1/sites/${id}`, { method: "DELETE", token: "nonsense", address });
    const read = () => trailOf(operator, { target_id: id });
    const [entry] = await eventually(read, "site.delete.refused");
    expect(entry?.actor_user).toBe("");
    expect(JSON.parse(entry?.metadata ?? "")).toMatchObject({ reason: "bad_token", ip: address });
  });

  it("of signing out are in the trail", async () => {
    const operator = await createOperator();
    const leaving = await createOperator();
    const out = () => api("/v1/auth/logout", { method: "POST", token: leaving.token });
    expect((await out()).status).toBe(200);
    expect((await out()).status).toBe(401);
    const read = () => trailOf(operator, { target_id: `usr_${leaving.userId}` });
    await eventually(read, "auth.logout.refused");
  });
});

/** How often each entry of the trail says that it was, once that is so often in all. */
async function refusalsOf(
  operator: { token: string },
  query: Record<string, string>,
  count: number,
): Promise<number[]> {
  const path = `/v1/audit/logs?${new URLSearchParams({ ...query, limit: "500" })}`;
  for (let i = 0; i < 100; i += 1) {
    const { body } = await api(path, { token: operator.token });
    const times = body.items.map(
      ({ metadata }: { metadata: string }): number => JSON.parse(metadata).times ?? 1,
    );
    if (times.reduce((sum: number, each: number) => sum + each, 0) >= count) return times;
    await scheduler.wait(20);
  }
  throw new Error(`fewer than ${count} refusals are in the trail`);
}
