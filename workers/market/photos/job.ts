import { z } from "zod";
import type { JobHandler } from "../../../shared/jobs/jobs.ts";
import { TakenBack, throwAway } from "./take-back.ts";
import { advancePhoto } from "./work.ts";

const Payload = z.object({ photo_id: z.uuid(), taken_back: TakenBack.optional() });

/** The work on one photo, and the polling below its webhook. What it knows lies in the photo's row. */
export function photoJob({ lookAgainMs = 0 } = {}): JobHandler {
  return {
    kind: "market.photo",
    queue: "marketplace-sync",
    run: async (ctx, job) => {
      const { photo_id: id, taken_back: left } = Payload.parse(job.payload);
      return left ? await throwAway(ctx, left) : await advancePhoto(ctx, id, lookAgainMs);
    },
  };
}
