import { z } from "zod";
import { type Http, ProviderError } from "../http.ts";
import {
  type HistoryQuery,
  historyBody,
  type Opened,
  PROVIDER,
  type RedirectInput,
  redirectBody,
} from "./requests.ts";
import { type Account, requestHeaders } from "./signature.ts";
import {
  HistoryPage,
  type HistoryRow,
  type IpaymuPayment,
  type IpaymuStatus,
  Transaction,
} from "./transaction.ts";

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

/** More transactions (20 a page) than this in the days of a payment are not read one by one. */
const MAX_PAGES = 60;

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

const History = z.object({ Data: HistoryPage });

export async function history(
  line: Line,
  opened: Opened,
  query: HistoryQuery,
): Promise<HistoryPage> {
  const options = { schema: History, idempotent: true };
  return (await post(line, "/history", historyBody(opened, line.now(), query), options)).Data;
}

/**
 * The transaction that matters most of a reference: one that was paid before one that may still be, before one that
 * ended. The history is read newest first, a page at a time; it only finds the transaction, which then speaks itself.
 * Where it is too long it is read by status, so that a payment is found among all that nobody paid.
 */
export async function findByReference(
  line: Line,
  providerRef: string,
  opened: Opened,
): Promise<IpaymuPayment | null> {
  const candidates =
    (await search(line, opened, providerRef)) ?? (await searchByStatus(line, opened, providerRef));
  const [best] = candidates.sort((a, b) => RANK[a.status] - RANK[b.status]);
  if (!best) return null;
  const found = await getTransaction(line, best.transactionId);
  if (found?.providerRef === providerRef) return found;
  throw contradiction("the history and the transaction disagree");
}

/**
 * The rows of a reference, up to the first that was paid; null where there are more pages than are read. Of all codes
 * that is known from the first page, and no other is read.
 */
async function search(
  line: Line,
  opened: Opened,
  providerRef: string,
  status?: number,
): Promise<HistoryRow[] | null> {
  const mine: HistoryRow[] = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    if (page > MAX_PAGES) return null;
    const read = await history(line, opened, { page, status });
    mine.push(...read.rows.filter((row) => row.providerRef === providerRef));
    if (mine.some((row) => RANK[row.status] === 0)) break;
    if (status === undefined && read.pages > MAX_PAGES) return null;
    pages = read.pages;
  }
  return mine;
}

/** The documented codes (providers/ipaymu.md §3) as they matter; paid ones again, for what was paid meanwhile. */
const CODES = [1, 6, 3, 7, 0, 5, 4, 2, -2, 1, 6];

async function searchByStatus(
  line: Line,
  opened: Opened,
  providerRef: string,
): Promise<HistoryRow[]> {
  for (const status of CODES) {
    const found = await search(line, opened, providerRef, status);
    if (found === null) throw tooMany();
    if (found.length > 0) return found;
  }
  return [];
}

const RANK: Record<IpaymuStatus, number> = {
  paid: 0,
  refunded: 1,
  review: 2,
  pending: 3,
  failed: 4,
  cancelled: 5,
  expired: 5,
};

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

function tooMany(): ProviderError {
  const failure = { kind: "refused", retryable: true, outcome: "unknown" } as const;
  const code = "history_too_long";
  return new ProviderError(PROVIDER, { ...failure, code }, `${PROVIDER}: the history is too long`);
}
