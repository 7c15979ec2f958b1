import { createHttp, type Fetch, type Judge } from "./http.ts";
import { invalidInput } from "./provider-error.ts";
import { fetchOutput } from "./replicate/output.ts";
import { Prediction, PredictionPage } from "./replicate/prediction.ts";
import { parseWebhook } from "./replicate/webhook.ts";

export { isFinal, type Prediction } from "./replicate/prediction.ts";

export const REPLICATE = "replicate";
/** Until then a prediction is over, and what it would cost stays bounded. */
const CANCEL_AFTER = "10m";
const PAGES = 5;

export interface ReplicateOptions {
  token: string;
  baseUrl: string;
  webhookSecret: string;
  /** Of nightmareai/real-esrgan. */
  version: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

export interface Upscaling {
  /** Public; the place by which a lost creation is found again, so it is another one for each. */
  imageUrl: string;
  scale: number;
  webhookUrl: string;
  /** The answer is held back so long, in case the work is done by then: whole seconds, 1 to 60. */
  waitSeconds: number;
}

/** 402: our account is empty. Nothing that is asked again soon would be answered otherwise. */
const judge: Judge = ({ status }) => (status === 402 ? { kind: "refused", code: "credit" } : null);

export type Replicate = ReturnType<typeof createReplicate>;

/** The client of Replicate for one upscaling model. Every failure is a `ProviderError`. */
export function createReplicate(options: ReplicateOptions) {
  const http = createHttp({
    ...options,
    provider: REPLICATE,
    headers: { authorization: `Bearer ${options.token}` },
    judge,
  });

  return {
    /** Starts a prediction (providers/replicate.md §1). It has no key of its own: a repeat is another one, and paid for. */
    async createPrediction(input: Upscaling): Promise<Prediction> {
      const { waitSeconds, scale } = input;
      if (!Number.isInteger(waitSeconds) || waitSeconds < 1 || waitSeconds > 60) {
        throw invalidInput(REPLICATE, "waits 1 to 60 whole seconds");
      }
      if (!(scale >= 1 && scale <= 10)) throw invalidInput(REPLICATE, "scales by 1 to 10");
      return await http.request({
        method: "POST",
        path: "/predictions",
        json: {
          version: options.version,
          input: { image: input.imageUrl, scale, face_enhance: false },
          webhook: input.webhookUrl,
          webhook_events_filter: ["completed"],
        },
        headers: { prefer: `wait=${waitSeconds}`, "cancel-after": CANCEL_AFTER },
        timeoutMs: options.timeoutMs + waitSeconds * 1000,
        schema: Prediction,
        idempotent: false,
      });
    },

    async getPrediction(id: string): Promise<Prediction> {
      return await http.request({
        method: "GET",
        path: `/predictions/${plainId(id)}`,
        schema: Prediction,
        idempotent: true,
      });
    },

    /**
     * The prediction that was made for this picture, where a creation's answer was lost; null: there is none among
     * those since `since`. Inputs are deleted after an hour, so it must be asked within that.
     */
    async findPrediction(imageUrl: string, since: Date): Promise<Prediction | null> {
      let cursor: string | null = null;
      for (let page = 0; page < PAGES; page += 1) {
        const found: PredictionPage = await http.request({
          method: "GET",
          path: "/predictions",
          ...(cursor !== null && { query: { cursor } }),
          schema: PredictionPage,
          idempotent: true,
          maxBytes: 4_000_000,
        });
        const match = found.results.find(({ image }) => image === imageUrl);
        if (match) return match;
        const oldest = found.results.at(-1)?.createdAt ?? null;
        if (oldest === null || oldest < since || found.cursor === null) return null;
        cursor = found.cursor;
      }
      return null;
    },

    async cancelPrediction(id: string): Promise<void> {
      await http.request({
        method: "POST",
        path: `/predictions/${plainId(id)}/cancel`,
        schema: Prediction,
        idempotent: true,
      });
    },

    /** The output's bytes, from Replicate's own hosts alone; null: it is gone. */
    fetchOutput: (url: string, maxBytes: number) => fetchOutput(options, url, maxBytes),

    /** The prediction that a webhook tells of; null: it is not Replicate's, or late. */
    parseWebhook: (given: { headers: Pick<Headers, "get">; rawBody: string; now: Date }) =>
      parseWebhook(options.webhookSecret, given),
  };
}

function plainId(id: string): string {
  if (!/^[A-Za-z0-9]{1,64}$/.test(id))
    throw invalidInput(REPLICATE, "an id has letters and digits");
  return id;
}
