import { z } from "zod";
import type { JobHandler } from "../../../shared/jobs/jobs.ts";
import { type Pauses, publishPost } from "./publish.ts";

const Payload = z.object({ post_id: z.uuid(), run: z.number() });
const PAUSES: Pauses = { firstLookMs: 3_000 };

/** Publishes a post at its time. What it knows lies in the post's row, so a job that comes twice acts once. */
export function instagramJob(pauses: Pauses = PAUSES): JobHandler {
  return {
    kind: "market.instagram",
    queue: "marketplace-sync",
    run: async (ctx, job) => await publishPost(ctx, Payload.parse(job.payload), pauses),
  };
}
