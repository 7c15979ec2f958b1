import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body, idempotencyHeader } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  buyCoins,
  coinBalance,
  getCoinPurchase,
  listCoinPackages,
  listCoinPurchases,
} from "../coins.ts";
import { appPaging } from "../paging.ts";
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

/** The app asks under either name. */
for (const path of ["/api/payment/status/{id}", "/api/payment/check-status/{id}"] as const) {
  coinRoutes.openapi(
    createRoute({
      method: "get",
      path,
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
}

coinRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/payment/history",
    tags,
    summary: "My purchases of coins, the newest first",
    middleware: [access(null)] as const,
    request: { query: z.object(appPaging(50)) },
    responses: appOk({ data: z.array(PurchaseShape), page: z.number(), limit: z.number() }),
  }),
  async (c) => {
    const page = c.req.valid("query");
    const data = await listCoinPurchases(c.var.ctx, page);
    return c.json({ success: true, data, ...page } as const, 200);
  },
);

const Balance = z.object({ balance: z.number(), topupBalance: z.number() });

/** The shipped app doubles the prefix. */
for (const base of ["/api", "/api/api"] as const) {
  coinRoutes.openapi(
    createRoute({
      method: "get",
      path: `${base}/payment/user-balance`,
      tags,
      summary: "My coins; bought ones are in the one balance there is",
      middleware: [access(null)] as const,
      responses: appOk({ balance: z.number(), data: Balance }),
    }),
    async (c) => {
      const balance = await coinBalance(c.var.ctx);
      const data = { balance, topupBalance: balance };
      return c.json({ success: true, balance, data } as const, 200);
    },
  );
}
