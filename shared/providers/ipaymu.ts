import { createHttp, type Fetch } from "./http.ts";
import {
  type CallbackSignatures,
  type IpaymuNotice,
  isSigned,
  readCallback,
} from "./ipaymu/callback.ts";
import {
  createRedirect,
  getTransaction,
  history,
  type IpaymuChannel,
  type Line,
  listChannels,
  type RedirectPage,
} from "./ipaymu/calls.ts";
import { judge } from "./ipaymu/judge.ts";
import { PROVIDER, type RedirectInput } from "./ipaymu/requests.ts";
import type { HistoryPage, IpaymuPayment } from "./ipaymu/transaction.ts";

export {
  type CallbackSignatures,
  type IpaymuNotice,
  mapCallbackStatus,
  readCallback,
} from "./ipaymu/callback.ts";
export type { IpaymuChannel, RedirectPage } from "./ipaymu/calls.ts";
export type { RedirectInput } from "./ipaymu/requests.ts";
export {
  type HistoryPage,
  type IpaymuPayment,
  type IpaymuStatus,
  mapStatus,
} from "./ipaymu/transaction.ts";

export interface IpaymuOptions {
  /** The merchant's account number. Callbacks are signed with it alone. */
  va: string;
  apiKey: string;
  /** With its version: `https://my.ipaymu.com/api/v2`. */
  baseUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => Date;
}

/** iPaymu's API v2. Every failure is a `ProviderError`; codes `invalid_ip` and `invalid_domain`: not registered there. */
export interface Ipaymu {
  /** Its number there, which is no secret. */
  account: string;
  /**
   * Opens a hosted payment page (providers/ipaymu.md §3). Not repeatable: each call opens another one. There is no
   * transaction, and nothing to ask about, until the payer picks a channel.
   */
  createRedirect(input: RedirectInput): Promise<RedirectPage>;
  /** What iPaymu knows of a transaction (providers/ipaymu.md §3), or null when it knows nothing. */
  getTransaction(transactionId: string): Promise<IpaymuPayment | null>;
  /** A page of the account's transactions from that day on, newest first (providers/ipaymu.md §3). */
  history(since: Date, page: number): Promise<HistoryPage>;
  /** The ways to pay that the account offers (providers/ipaymu.md §3). */
  listChannels(): Promise<IpaymuChannel[]>;
  /**
   * Checks and reads a callback (providers/ipaymu.md §4); null when it is not signed or not readable. The signature
   * is weak: act only on what `getTransaction` says.
   */
  verifyCallback(rawBody: string, signatures: CallbackSignatures): Promise<IpaymuNotice | null>;
}

/** The client of one iPaymu account. */
export function createIpaymu(options: IpaymuOptions): Ipaymu {
  const { va, apiKey, now = () => new Date() } = options;
  const account = { va, apiKey };
  const line: Line = { http: createHttp({ ...options, provider: PROVIDER, judge }), account, now };
  return {
    account: va,
    createRedirect: (input) => createRedirect(line, input),
    getTransaction: (transactionId) => getTransaction(line, transactionId),
    history: (since, page) => history(line, since, page),
    listChannels: () => listChannels(line),
    async verifyCallback(rawBody, signatures) {
      const signed = await isSigned(account, rawBody, signatures);
      return signed ? readCallback(rawBody) : null;
    },
  };
}
