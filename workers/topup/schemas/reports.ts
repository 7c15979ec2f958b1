import { z } from "@hono/zod-openapi";
import { moment } from "./moment.ts";

const differences = z.array(z.record(z.string(), z.unknown()));

export const ReportShape = z
  .object({
    day: z.string(),
    orders: z.number(),
    matched: z.number(),
    missingThere: differences,
    missingHere: differences,
    priceDifferences: differences,
    stateDifferences: differences,
    expectedBalance: z.number().nullable(),
    /** Where purchases were on their way, the balance may lie between these and be right. */
    leastBalance: z.number().nullable(),
    mostBalance: z.number().nullable(),
    surplus: z.number().nullable(),
    balance: z.number(),
    balanceAt: moment(),
    clean: z.boolean(),
    createdAt: moment(),
  })
  .openapi("TopupReport");
export type Report = z.output<typeof ReportShape>;
