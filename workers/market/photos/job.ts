import { z } from "zod";
import type { JobHandler } from "../../../shared/jobs/jobs.ts";
import { advancePhoto } from "./work.ts";

const Payload = z.object({ photo_id: z.uuid() });

/** The work on one photo, and the polling below its webhook. What it knows lies in the photo's row. */
export function photoJob({ lookAgainMs = 0 } = {}): JobHandler {
  return {
    kind: "market.photo",
    queue: "marketplace-sync",
    run: async (ctx, job) =>
      await advancePhoto(ctx, Payload.parse(job.payload).photo_id, lookAgainMs),
  };
}
