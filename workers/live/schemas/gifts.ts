import { z } from "@hono/zod-openapi";
import { MAX_QUANTITY } from "../gifts.ts";
import { numericId, optionalText, roomId } from "./fields.ts";

const INCOMPLETE = "Data gift tidak lengkap";

/** The contract has one text for whatever is wrong here. `category` is sent by the app and not read. */
export const GiftBody = z
  .object(
    {
      receiverId: numericId(INCOMPLETE),
      giftId: optionalText(INCOMPLETE, 100),
      giftName: optionalText(INCOMPLETE, 100),
      coinValue: z.int(INCOMPLETE).min(1, INCOMPLETE).optional(),
      quantity: z.int(INCOMPLETE).min(1, INCOMPLETE).max(MAX_QUANTITY, INCOMPLETE).default(1),
      /** What the sender takes the room for; the room knows. */
      scene: z.enum(["live", "party"], INCOMPLETE).optional(),
      roomId,
    },
    INCOMPLETE,
  )
  .refine((gift) => gift.giftId ?? gift.giftName, INCOMPLETE)
  .openapi("GiftBody");

export const GivenShape = z
  .object({
    giftId: z.number(),
    hostIncome: z.number(),
    totalCost: z.number(),
    createdAt: z.string(),
  })
  .openapi("GivenGift");

export const CatalogueQuery = z.object({
  scene: z.enum(["live", "party"], "scene harus live atau party").default("live"),
});

export const CatalogueShape = z
  .object({
    id: z.string(),
    name: z.string(),
    category: z.string(),
    price: z.number(),
    hostShare: z.number(),
    scene: z.string(),
  })
  .openapi("Gift");

export const RankedShape = z
  .object({
    rank: z.number(),
    id: z.number(),
    name: z.string(),
    avatar: z.string(),
    level: z.number(),
    coins: z.number(),
  })
  .openapi("Ranked");

export const ContributionShape = z
  .object({
    id: z.number(),
    giftName: z.string(),
    coins: z.number(),
    senderName: z.string(),
    time: z.string(),
    timestamp: z.string(),
  })
  .openapi("Contribution");

export const IncomeLineShape = z
  .object({
    id: z.number(),
    host_id: z.number(),
    gift_id: z.number(),
    income: z.number(),
    type: z.string(),
    created_at: z.string(),
    gift_name: z.string(),
    coin_value: z.number(),
    quantity: z.number(),
  })
  .openapi("IncomeLine");

/** Any word: those that the contract does not name mean all time. */
export const PeriodQuery = z.object({ period: z.string().default("daily") });
