import { z } from "@hono/zod-openapi";
import { numericId } from "./fields.ts";

export const CoinPackageShape = z
  .object({ id: z.number(), method: z.string(), coins: z.number(), price: z.number() })
  .openapi("CoinPackage");

export const BuyCoinsBody = z
  .object(
    { packageId: numericId("packageId wajib").pipe(z.int().max(1_000_000, "packageId wajib")) },
    "packageId wajib",
  )
  .openapi("BuyCoins");

export const PurchaseOpenedShape = z
  .object({ snapToken: z.string(), orderId: z.string(), redirectUrl: z.string() })
  .openapi("CoinPurchaseOpened");

export const PurchaseShape = z
  .object({
    orderId: z.string(),
    status: z.enum(["pending", "settlement", "expire", "failure", "refund"]),
    coins: z.number(),
    amount: z.number(),
    createdAt: z.string(),
    paidAt: z.string().nullable(),
  })
  .openapi("CoinPurchase");
