import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body, idempotencyHeader } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { connectingAddress } from "../../../shared/http/caller.ts";
import { listGifts } from "../gifts.ts";
import { giveGift } from "../give.ts";
import { CatalogueQuery, CatalogueShape, GiftBody, GivenShape } from "../schemas/gifts.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: gifts"];

/** The gift catalogue, and giving one. */
export const giftRoutes = createApi();

giftRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/gifts",
    tags,
    summary: "What may be given in a live or in a party room, and for how many coins",
    request: { query: CatalogueQuery },
    responses: appOk({ data: z.array(CatalogueShape) }),
  }),
  async (c) => {
    const data = await listGifts(c.var.ctx, c.req.valid("query").scene);
    return c.json({ success: true, data } as const, 200);
  },
  inContractWords,
);

giftRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/gifts/send",
    tags,
    summary: "Give a gift; its price is the catalogue's",
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(GiftBody) },
    responses: appOk({ message: z.string(), data: GivenShape }),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const address = connectingAddress(c.req.raw) ?? undefined;
    const given = await giveGift(c.var.ctx, { ...c.req.valid("json"), address }, key);
    const data = {
      giftId: given.giftRowId,
      hostIncome: given.hostIncome,
      totalCost: given.totalCost,
      createdAt: given.createdAt.toISOString(),
    };
    return c.json({ success: true, message: "Gift berhasil dikirim", data } as const, 200);
  },
  inContractWords,
);
