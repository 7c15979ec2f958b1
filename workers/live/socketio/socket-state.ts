import { z } from "zod";

/** What is kept of a socket through evictions, and of a lost one until it comes back. */
export const SocketState = z.object({
  namespace: z.string(),
  id: z.string(),
  pid: z.string(),
  rooms: z.array(z.string()),
  data: z.unknown(),
  recovered: z.boolean(),
  /** What was sent before this offset is none of its business. */
  from: z.number(),
});
export type SocketState = z.infer<typeof SocketState>;
