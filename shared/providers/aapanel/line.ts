import { z } from "zod";
import { md5Hex } from "../../crypto/index.ts";
import { createHttp, type Fetch, type Judge } from "../http.ts";
import { invalidInput, ProviderError } from "../provider-error.ts";
import { failureOfText } from "./refusals.ts";

export const PROVIDER = "aapanel";

export type Group = "site" | "data" | "files" | "ftp" | "database" | "acme" | "system";

/** What a call is: only those whose repeat has no further effect are repeated here. */
export interface Call<T> {
  group: Group;
  action: string;
  fields?: Record<string, string>;
  schema: z.ZodType<T>;
  idempotent: boolean;
  /** How many times the usual time-out it may take (1). */
  patience?: number;
  /** Where `status` is data and not the panel's verdict. */
  statusIsData?: boolean;
}

/** What the calls are made with. */
export interface Line {
  call<T>(call: Call<T>): Promise<T>;
  /** The same with a file beside the fields, as multipart. */
  upload<T>(call: Call<T>, file: Uint8Array<ArrayBuffer>): Promise<T>;
}

export interface LineOptions {
  /** The panel itself, without its security entrance: `https://panel.example:8888`. */
  baseUrl: string;
  apiKey: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => Date;
}

/**
 * `request_token` (providers/aapanel.md, "Authentication"). The panel never looks at its clock, so a pair that is once
 * seen is valid until the key is replaced: TLS alone protects it.
 */
export const requestToken = (apiKey: string, requestTime: string) =>
  md5Hex(requestTime + md5Hex(apiKey));

const Verdict = z.object({ status: z.union([z.boolean(), z.literal(-1), z.literal(0)]) });
/** "Text from `msg`, else `message.result`, else `message.msg`" (providers/aapanel.md, "Envelope and error shapes"). */
const Words = z.object({
  msg: z.unknown().optional(),
  message: z
    .object({ result: z.unknown().optional(), msg: z.unknown().optional() })
    .optional()
    .catch(undefined),
});

function textOf(body: unknown): string {
  const words = Words.safeParse(body).data;
  const text = words?.msg ?? words?.message?.result ?? words?.message?.msg;
  return (Array.isArray(text) ? text : [text])
    .filter((part) => typeof part === "string")
    .join(" ")
    .slice(0, 2_000);
}

/** `false` and `-1` are refusals; `true`, `0` and none are not. */
const judge: Judge = ({ body }) => {
  const verdict = Verdict.safeParse(body).data;
  return verdict?.status === false || verdict?.status === -1 ? failureOfText(textOf(body)) : null;
};

/** The same where `status` belongs to the data: only what has words and nothing else is a refusal. */
const dataJudge: Judge = (answer) => {
  const keys = z.record(z.string(), z.unknown()).safeParse(answer.body).data ?? {};
  return Object.keys(keys).every((key) => ["status", "msg"].includes(key)) ? judge(answer) : null;
};

export function createLine(options: LineOptions): Line {
  const { apiKey, now = () => new Date() } = options;
  const http = createHttp({ ...options, provider: PROVIDER });
  const signed = (fields: Record<string, string> = {}) => {
    const time = String(Math.floor(now().getTime() / 1000));
    return { ...fields, request_time: time, request_token: requestToken(apiKey, time) };
  };
  const send = async <T>(
    { group, action, schema, idempotent, patience = 1, statusIsData }: Call<T>,
    body: { form: Record<string, string> } | { raw: Multipart },
  ): Promise<T> => {
    try {
      return await http.request({
        method: "POST",
        path: `/${group}`,
        query: { action },
        ...body,
        schema,
        idempotent,
        judge: statusIsData ? dataJudge : judge,
        timeoutMs: options.timeoutMs * patience,
      });
    } catch (error) {
      throw error instanceof ProviderError ? ownWords(error) : error;
    }
  };
  return {
    call: (call) => send(call, { form: signed(call.fields) }),
    upload: (call, file) => send(call, { raw: multipart(signed(call.fields), file) }),
  };
}

/**
 * A page in the answer's place with 404 stands for much: the API switched off, a wrong field, or a handler that died
 * half-way. So it is no "no".
 */
function ownWords(error: ProviderError): ProviderError {
  if (error.status !== 404 || error.outcome === "unknown") return error;
  const failure = { kind: "bad_answer", retryable: true, outcome: "unknown", status: 404 } as const;
  return new ProviderError(PROVIDER, { ...failure, code: "no_api" }, error.message);
}

type Multipart = { type: string; bytes: Uint8Array<ArrayBuffer> };

const encoder = new TextEncoder();

/** A form with the file part `blob` (RFC 7578), written by hand so that its bytes can be signed for a relay. */
export function multipart(
  fields: Record<string, string>,
  file: Uint8Array<ArrayBuffer>,
): Multipart {
  const boundary = `lumbung${crypto.randomUUID().replaceAll("-", "")}`;
  let head = "";
  for (const [name, value] of Object.entries(fields)) {
    head += `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  }
  head += `--${boundary}\r\ncontent-disposition: form-data; name="blob"; filename="blob"\r\n`;
  head += "content-type: application/octet-stream\r\n\r\n";
  const start = encoder.encode(head);
  const end = encoder.encode(`\r\n--${boundary}--\r\n`);
  const bytes = new Uint8Array(start.length + file.length + end.length);
  bytes.set(start);
  bytes.set(file, start.length);
  bytes.set(end, start.length + file.length);
  return { type: `multipart/form-data; boundary=${boundary}`, bytes };
}

/** What the panel says where it has nothing more to say. */
export const Done = z.looseObject({ status: z.literal(true) }).transform(() => undefined);

/** Ids come as numbers or as text. */
export const Id = z.union([z.number().int(), z.string().regex(/^\d+$/)]).transform(String);

/** An answer that contradicts the question. */
export function badAnswer(what: string): ProviderError {
  const failure = { kind: "bad_answer", retryable: true, outcome: "unknown" } as const;
  return new ProviderError(PROVIDER, failure, `${PROVIDER}: ${what}`);
}

const PATH = /^\/[^\p{Cc};&<>"'`$|\\]*$/u;

/** A path that the panel takes: absolute, without dot parts and marks that mean more than themselves. */
export function plainPath(path: string): string {
  const parts = path.split("/").slice(1);
  const isPlain = PATH.test(path) && parts.every((part) => part !== "" && !/^\.{1,2}$/.test(part));
  if (!isPlain || path.includes("./") || path.length > 1_000 || !path.isWellFormed()) {
    throw invalidInput(PROVIDER, "the path is not in plain form");
  }
  return path;
}
