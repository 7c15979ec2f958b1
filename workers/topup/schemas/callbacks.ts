import { z } from "@hono/zod-openapi";
import { moment } from "./moment.ts";

export const CallbackShape = z
  .object({
    id: z.uuid(),
    /** `forgotten`: only their number is left, of a day in the times when there was no room for more. */
    verdict: z.enum(["verified", "forged", "unreadable", "forgotten"]),
    /** For how many callbacks it stands: refused ones that come together are kept together. */
    count: z.number(),
    /** From how many addresses they came, and the busiest of these. */
    sources: z.number(),
    from: z.array(z.object({ address: z.string(), count: z.number() })),
    firstAt: moment(),
    lastAt: moment(),
    form: z.string().nullable(),
    trxId: z.string().nullable(),
    status: z.string().nullable(),
    receivedAt: moment(),
    /** What became of it: applied, parked (with the reason), still received, or dead: no retry could apply it. */
    state: z.string(),
    note: z.string().nullable(),
    attempts: z.number(),
  })
  .openapi("TopupCallback");

export const RefusedCallbackShape = z
  .object({
    verdict: z.enum(["forged", "unreadable"]),
    form: z.enum(["provider", "specification"]).nullable(),
    from: z.string(),
    /** Of equal ones the first and the last, and how many they are. */
    at: moment(),
    lastAt: moment(),
    times: z.number(),
    length: z.number(),
    sha256: z.string(),
    /** Whether its body is kept to the end; of others it is the beginning. */
    isWhole: z.boolean(),
  })
  .openapi("TopupRefusedCallback");
