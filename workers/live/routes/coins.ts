import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body, idempotencyHeader } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { buyCoins, getCoinPurchase, listCoinPackages } from "../coins.ts";
import {
  BuyCoinsBody,
  CoinPackageShape,
  PurchaseOpenedShape,
  PurchaseShape,
} from "../schemas/coins.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: coins"];

/** Coins for sale, buying them, and how a purchase stands. */
export const coinRoutes = createApi();

coinRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/payment/packages",
    tags,
    summary: "Coin packages: 1 to 7 by bank, 101 to 107 by e-wallet",
    responses: appOk({ data: z.array(CoinPackageShape) }),
  }),
  async (c) => c.json({ success: true, data: await listCoinPackages(c.var.ctx) } as const, 200),
);

coinRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/payment/create-transaction",
    tags,
    summary: "Buy a coin package; it is paid on Midtrans' page",
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(BuyCoinsBody) },
    responses: appOk({ data: PurchaseOpenedShape }),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const data = await buyCoins(c.var.ctx, c.req.valid("json"), key);
    return c.json({ success: true, data } as const, 200);
  },
  inContractWords,
);

coinRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/payment/status/{id}",
    tags,
    summary: "How one of my purchases stands; `settlement` once the coins are there",
    middleware: [access(null)] as const,
    request: { params: z.object({ id: z.string().max(100) }) },
    responses: appOk({ data: PurchaseShape }),
  }),
  async (c) => {
    const data = await getCoinPurchase(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true, data } as const, 200);
  },
  inContractWords,
);
