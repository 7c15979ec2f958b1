import { expect } from "vitest";
import { z } from "zod";
import type { Platform } from "../../../../shared/providers/marketplace.ts";
import { api, standIns } from "../../../testing/api.ts";
import type { TestUser } from "../../../testing/factories.ts";
import { twin } from "../../../testing/orders.ts";
import { forgetCategories } from "./market-bench.ts";

const Given = z.object({ shop_id: z.string(), code: z.string() });

const urlOf = (platform: Platform) => {
  const { shopee, lazada, tiktokShop } = standIns();
  return { shopee, lazada, tokopedia: tiktokShop }[platform];
};

/** Does something by hand at a platform's twin. */
export const atTwin = (platform: Platform, path: string, body: unknown = {}, method = "POST") =>
  twin(urlOf(platform), path, body, method);

/** Connects a shop at the twin over the API, as its seller's browser would do it; answers its id there. */
export async function connectAtTwin(platform: Platform, { token }: TestUser): Promise<string> {
  await forgetCategories(platform);
  const link = await api(`/api/seller/marketplace/authorise/${platform}`, { token });
  const { state } = link.body.data;
  const given = Given.parse(await atTwin(platform, "/_authorise", { state }));
  const json = { platform, code: given.code, shop_id: given.shop_id, state };
  const answer = await api("/api/seller/marketplace/connect", { method: "POST", token, json });
  expect([answer.status, answer.body]).toMatchObject([
    200,
    { error: null, data: { status: "connected" } },
  ]);
  return given.shop_id;
}
