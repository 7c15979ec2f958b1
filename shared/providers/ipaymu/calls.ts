import { z } from "zod";
import { type Http, ProviderError } from "../http.ts";
import { historyBody, PROVIDER, type RedirectInput, redirectBody } from "./requests.ts";
import { type Account, requestHeaders } from "./signature.ts";
import { HistoryData, type HistoryPage, type IpaymuPayment, Transaction } from "./transaction.ts";

/** What a call is made with. */
export interface Line {
  http: Http;
  account: Account;
  now: () => Date;
}

export interface RedirectPage {
  sessionId: string;
  url: string;
}

const sessionId = z.string().min(1).max(128);
const Redirect = z.object({
  Data: z
    .object({
      // The vendor spells it both ways.
      SessionID: sessionId.nullish(),
      SessionId: sessionId.nullish(),
      Url: z.url({ protocol: /^https?$/ }),
    })
    .transform(({ SessionID, SessionId, Url }) => ({ id: SessionID ?? SessionId, url: Url }))
    .refine(({ id }) => id),
});

async function post<T>(
  { http, account, now }: Line,
  path: string,
  body: Record<string, unknown>,
  options: { schema: z.ZodType<T>; idempotent: boolean },
): Promise<T> {
  // The HTTP client writes the body in the same way, so these are the bytes that are sent.
  const headers = await requestHeaders(account, "POST", JSON.stringify(body), now());
  return await http.request({ method: "POST", path, json: body, headers, ...options });
}

export async function createRedirect(line: Line, input: RedirectInput): Promise<RedirectPage> {
  const options = { schema: Redirect, idempotent: false };
  const { Data } = await post(line, "/payment", redirectBody(input), options);
  return { sessionId: Data.id ?? "", url: Data.url };
}

const Found = z.object({ Data: z.union([Transaction, z.null(), z.tuple([])]) });

export async function getTransaction(line: Line, id: string): Promise<IpaymuPayment | null> {
  try {
    const options = { schema: Found, idempotent: true };
    const { Data } = await post(line, "/transaction", { transactionId: id }, options);
    if (Data === null || Array.isArray(Data)) return null;
    if (Data.transactionId !== id) throw contradiction("the transaction is another one");
    return Data;
  } catch (error) {
    // The body's code, not the HTTP status: a proxy's 404 must not read as "never paid".
    if (error instanceof ProviderError && ["400", "404"].includes(error.code ?? "")) return null;
    throw error;
  }
}

const History = z.object({ Data: HistoryData });

export async function history(line: Line, since: Date, page: number): Promise<HistoryPage> {
  const options = { schema: History, idempotent: true };
  const { Data } = await post(line, "/history", historyBody(since, line.now(), page), options);
  // Withdrawals and moves between accounts may be numbered in another way.
  const payments = Data.rows.filter(({ providerRef }) => providerRef !== null);
  const numbers = payments.map((row) => Number(row.transactionId)).filter(Number.isSafeInteger);
  // Whoever reads on from a number would else leave out what he has not read.
  if ((numbers[0] ?? 0) < (numbers.at(-1) ?? 0)) throw contradiction("the history is upside down");
  return { ...Data, highest: numbers.length > 0 ? Math.max(...numbers) : null };
}

/** A way to pay that the account offers. */
export interface IpaymuChannel {
  group: string;
  code: string;
  name: string;
  description: string;
  logo: string;
  isOpen: boolean;
  fee: { ActualFee: number; ActualFeeType: string; AdditionalFee: number } | null;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const figure = z.coerce.number().nonnegative();
const Channel = z.object({
  Code: z.string().min(1).max(64),
  Name: text,
  Description: text,
  Logo: text,
  FeatureStatus: text,
  HealthStatus: text,
  TransactionFee: z
    .object({ ActualFee: figure, ActualFeeType: z.string(), AdditionalFee: figure })
    .nullish()
    .catch(null),
});
const Channels = z.object({
  Data: z.array(z.object({ Code: z.string(), Channels: z.array(Channel).nullish() })),
});

export async function listChannels({ http, account, now }: Line): Promise<IpaymuChannel[]> {
  const headers = await requestHeaders(account, "GET", "{}", now());
  const path = "/payment-channels";
  const listed = await http.request({
    method: "GET",
    path,
    headers,
    schema: Channels,
    idempotent: true,
  });
  return listed.Data.flatMap((group) =>
    (group.Channels ?? []).map((channel) => ({
      group: group.Code,
      code: channel.Code,
      name: channel.Name,
      description: channel.Description,
      logo: channel.Logo,
      isOpen: channel.FeatureStatus === "active" && isHealthy(channel.HealthStatus),
      fee: channel.TransactionFee ?? null,
    })),
  );
}

const isHealthy = (status: string) => status === "" || status === "online";

function contradiction(what: string): ProviderError {
  const failure = { kind: "bad_answer", retryable: true, outcome: "unknown" } as const;
  return new ProviderError(PROVIDER, failure, `${PROVIDER}: ${what}`);
}
