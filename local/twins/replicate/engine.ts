import { randomBytes } from "node:crypto";
import { type Clock, Timers } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import { fetchImage } from "../common/fetch-image.ts";
import type { Json } from "../common/fields.ts";
import { Rates } from "../common/market/rate.ts";
import { type Delivery, type Notice, Outbox } from "../common/outbox.ts";
import { OwnDials } from "../common/own-dials.ts";
import { greyPng } from "../common/png.ts";
import { webhookSignature } from "./signature.ts";

export const finals = ["succeeded", "failed", "canceled", "aborted"] as const;
export type Status = "starting" | "processing" | (typeof finals)[number];
export const webhookEvents = ["start", "output", "logs", "completed"] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export interface ReplicateOptions {
  token: string;
  /** `whsec_` and base64: one for the account. */
  webhookSecret: string;
  /** Read the picture that a prediction names; without, any is taken for 600 × 600 (tests). */
  fetchInput?: boolean;
  /** Keep webhooks instead of sending them: read them from `/_notices` (tests). */
  keepWebhooks?: boolean;
  clock?: Clock;
}

export interface Prediction {
  id: string;
  model: string;
  version: string;
  input: { image: string; scale: number; face_enhance: boolean };
  status: Status;
  output: string | null;
  error: string | null;
  webhook: string;
  events: readonly WebhookEvent[];
  createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  cancelAt: number | null;
  picture: Buffer | null;
  /** Resolves once the prediction is final. */
  done: Promise<void>;
  finish: () => void;
}

const dialMeanings = {
  startMs: "the wait before a prediction is processing (30)",
  runMs: "the wait from then until it is final (150)",
  stay: "a prediction does not move by itself",
  fail: "a prediction fails, with this error",
  badOutput: "the output is no picture",
  outputHost: "the output lies at this origin",
  lowCredit: "there is no payment method: 1 prediction a second",
  noCredit: "402 for a new prediction",
  twoSignatures: "a webhook carries a second signature, of an older secret, in front",
} as const;

/** Everything about a prediction that is not metadata is deleted after this. */
const keepMs = 3_600_000;
const largestInput = 2_096_704;

export const model = {
  owner: "nightmareai",
  name: "real-esrgan",
  version: "42fed1c4974146d4d4414e2be2c5277c7fcf05fde3b22e94cee859b8a4a39d44",
} as const;

/** What Replicate knows and does: predictions, their way to an end, outputs that vanish, webhooks. */
export class Replicate {
  readonly predictions = new Map<string, Prediction>();
  readonly dials = new Dials();
  readonly own = new OwnDials(this.dials, dialMeanings);
  readonly timers = new Timers();
  readonly rates = new Rates();
  readonly outbox: Outbox;
  readonly options: ReplicateOptions;
  /** Known once the server listens. */
  url = "";
  shiftMs = 0;

  constructor(options: ReplicateOptions) {
    this.options = options;
    // The schedule is not published (replicate.md section 6), so this is chosen.
    this.outbox = new Outbox(this.dials, this.timers, this.clock, {
      spacingMs: [5_000, 300_000, 1_800_000, 7_200_000],
      retriesAfter: (_status, text) => (text.includes("completed") ? 4 : 0),
      timeoutMs: 10_000,
      hops: 0,
      accepts: (status) => status >= 200 && status < 300,
    });
  }

  readonly clock: Clock = () => (this.options.clock ?? Date.now)() + this.shiftMs;

  create(
    fields: Pick<Prediction, "input" | "version" | "webhook" | "events" | "cancelAt">,
  ): Prediction {
    let finish: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const prediction: Prediction = {
      ...fields,
      id: randomBytes(13).toString("hex"),
      model: `${model.owner}/${model.name}`,
      status: "starting",
      output: null,
      error: null,
      createdAt: this.clock(),
      startedAt: null,
      completedAt: null,
      picture: null,
      done,
      finish,
    };
    this.predictions.set(prediction.id, prediction);
    void this.tell(prediction, "start");
    if (!this.own.take("stay", textOf(prediction))) this.begin(prediction);
    return prediction;
  }

  /** A final one stays as it is. */
  isFinal({ status }: Prediction): boolean {
    return finals.some((one) => one === status);
  }

  private begin(prediction: Prediction): void {
    const text = textOf(prediction);
    this.timers.later(this.own.number("startMs", text, 30), () => {
      if (this.isFinal(prediction)) return;
      if (prediction.cancelAt !== null && prediction.cancelAt <= this.clock()) {
        return void this.end(prediction, "aborted");
      }
      prediction.status = "processing";
      prediction.startedAt = this.clock();
      this.timers.later(this.own.number("runMs", text, 150), () => void this.run(prediction));
    });
  }

  private async run(prediction: Prediction): Promise<void> {
    if (this.isFinal(prediction)) return;
    const wanted = this.own.text("fail", textOf(prediction), "Prediction failed.");
    if (wanted !== null) return void (await this.end(prediction, "failed", { error: wanted }));
    const picture = await this.enlarge(prediction);
    if (this.isFinal(prediction)) return;
    if (typeof picture === "string") {
      return void (await this.end(prediction, "failed", { error: picture }));
    }
    await this.end(prediction, "succeeded", { picture });
  }

  /** The enlarged picture, or why there is none. */
  private async enlarge({ input }: Prediction): Promise<Buffer | string> {
    const side = (pixels: number) => Math.min(2000, Math.round(pixels * Math.max(1, input.scale)));
    if (this.options.fetchInput === false) return greyPng(side(600), side(600));
    const fetched = await fetchImage(input.image);
    if (!fetched) return `could not download ${input.image}`;
    if (!fetched.facts) return "cannot identify image file";
    const { width, height } = fetched.facts;
    if (width * height > largestInput) {
      return `Input image of dimensions (${height}, ${width}, 3) has a total number of pixels ${width * height} greater than the max size that fits in GPU memory on this hardware, ${largestInput}. Resize input image and try again.`;
    }
    return greyPng(side(width), side(height));
  }

  async end(
    prediction: Prediction,
    status: (typeof finals)[number],
    result: { error?: string; picture?: Buffer } = {},
  ): Promise<void> {
    const text = textOf(prediction);
    prediction.status = status;
    prediction.completedAt = this.clock();
    prediction.error = result.error ?? null;
    if (result.picture) {
      const bad = this.own.take("badOutput", text) !== undefined;
      prediction.picture = bad ? Buffer.from("<html>not a picture</html>") : result.picture;
      const host = this.own.text("outputHost", text, "https://evil.example") ?? this.url;
      prediction.output = `${host}/delivery/${prediction.id}/output.png`;
    }
    prediction.finish();
    if (result.picture) void this.tell(prediction, "output");
    await this.tell(prediction, "completed");
  }

  isRemoved(prediction: Prediction): boolean {
    return prediction.completedAt !== null && this.clock() >= prediction.completedAt + keepMs;
  }

  /** The prediction object, in answers and webhooks alike. */
  view(prediction: Prediction): Json {
    const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
    const gone = this.isRemoved(prediction);
    const { id, startedAt, completedAt } = prediction;
    const took = startedAt !== null && completedAt !== null ? completedAt - startedAt : null;
    return {
      id,
      model: prediction.model,
      version: prediction.version,
      input: gone ? {} : prediction.input,
      output: gone ? null : prediction.output,
      logs: "",
      error: prediction.error,
      status: prediction.status,
      created_at: iso(prediction.createdAt),
      started_at: iso(startedAt),
      completed_at: iso(completedAt),
      data_removed: gone,
      metrics: took === null ? {} : { predict_time: took / 1000 },
      urls: {
        get: `${this.url}/v1/predictions/${id}`,
        cancel: `${this.url}/v1/predictions/${id}/cancel`,
      },
    };
  }

  noticeOf(prediction: Prediction, event: WebhookEvent, url: string): Notice {
    const id = `msg_${randomBytes(12).toString("base64url")}`;
    return {
      subject: prediction.id,
      event,
      url,
      text: `${textOf(prediction)}\n${event}`,
      render: (forged) => {
        const body = JSON.stringify(this.view(prediction));
        const timestamp = String(Math.floor(this.clock() / 1000));
        const { webhookSecret } = this.options;
        const other = `whsec_${Buffer.from("another secret altogether").toString("base64")}`;
        const right = webhookSignature(forged ? other : webhookSecret, id, timestamp, body);
        const two = this.own.take("twoSignatures", textOf(prediction));
        const older = two ? `${webhookSignature(other, id, timestamp, body)} ` : "";
        return {
          body,
          headers: {
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": older + right,
          },
        };
      },
    };
  }

  private async tell(prediction: Prediction, event: WebhookEvent): Promise<Delivery | null> {
    if (!prediction.webhook || !prediction.events.includes(event)) return null;
    const url = this.options.keepWebhooks ? "" : prediction.webhook;
    return await this.outbox.send(this.noticeOf(prediction, event, url));
  }
}

/** What a dial's `match` may name of a prediction. */
export function textOf({ id, input, webhook }: Prediction): string {
  return `${id}\n${input.image}\n${webhook}`;
}
