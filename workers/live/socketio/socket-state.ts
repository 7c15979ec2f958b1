import { z } from "zod";

/** What is kept of a socket through evictions, and of a lost one until it comes back. */
export const SocketState = z.object({
  namespace: z.string(),
  id: z.string(),
  pid: z.string(),
  rooms: z.array(z.string()),
  /** What was sent to a room before this offset was before it joined. */
  since: z.record(z.string(), z.number()).default({}),
  data: z.unknown(),
  recovered: z.boolean(),
  /** What was sent before this offset is none of its business. */
  from: z.number(),
});
export type SocketState = z.infer<typeof SocketState>;
