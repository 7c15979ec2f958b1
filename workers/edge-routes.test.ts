import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { createApiApp } from "./api.ts";
import { KeyChanges } from "./topup/schemas/resellers.ts";

const app = createApiApp();
const ADDRESS = "203.0.113.9";

/** How often each bucket is asked by these requests of one address, all of which are refused. */
async function buckets(paths: string[], method = "GET"): Promise<Record<string, number>> {
  const asked: Record<string, number> = {};
  const limit = async ({ key }: { key: string }) => {
    asked[key] = (asked[key] ?? 0) + 1;
    return { success: false };
  };
  for (const path of paths) {
    const execution = createExecutionContext();
    const request = new Request(`http://localhost:8787${path}`, {
      method,
      headers: { "cf-connecting-ip": ADDRESS },
    });
    const { status } = await app.fetch(request, { ...env, ROUTE_LIMIT: { limit } }, execution);
    await waitOnExecutionContext(execution);
    expect(status, path).toBe(429);
  }
  return asked;
}

it("no path has a rate limit of its own, by an id made of letters or by leading nowhere", async () => {
  const paths = ["7", "abc", "a.b-c", "history", "%41"].flatMap((id) => [
    `/api/chat/messages/${id}`,
    `/api/nowhere/${id}`,
    `/api/${id}/nowhere`,
  ]);
  expect(await buckets(paths)).toEqual({
    [`${ADDRESS} /api/chat/messages/:id`]: 5,
    [`${ADDRESS} none`]: 10,
  });
});

it.each([
  ["/api/live-session/abc/viewers", "/api/live-session/:roomId/viewers"],
  ["/api/api/live-session/7/viewers", "/api/api/live-session/:roomId/viewers"],
  ["/api/live-messages/abc", "/api/live-messages/:roomId"],
  ["/api/hosts/live", "/api/hosts/live"],
  ["/api/hosts/hot", "/api/hosts/hot"],
])(
  "an address may ask ten times more often for %s, which apps poll in a live",
  async (path, route) => {
    const shares = Array.from({ length: 10 }, (_, i) => [`${ADDRESS}/${i} ${route}`, 2]);
    expect(await buckets(Array<string>(20).fill(path))).toEqual(Object.fromEntries(shares));
  },
);

it.each(["/api/v2", "/api/v2/"])(
  "a reseller's panel may ask from its one address as often as its key can allow: %s",
  async (path) => {
    const most = KeyChanges.parse({ requestsPerMinute: 6_000 }).requestsPerMinute ?? 0;
    const asked = await buckets(Array<string>(8).fill(path), "POST");
    const shares = Array.from({ length: most / 1_500 }, (_, i) => [`${ADDRESS}/${i} /api/v2`, 2]);
    expect(asked).toEqual(Object.fromEntries(shares));
  },
);
