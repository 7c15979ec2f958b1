import { createHttp, type Fetch } from "./http.ts";
import {
  type CallbackSignatures,
  type IpaymuNotice,
  isSigned,
  readCallback,
} from "./ipaymu/callback.ts";
import {
  createRedirect,
  findByReference,
  getTransaction,
  history,
  type IpaymuChannel,
  type Line,
  listChannels,
  type RedirectPage,
} from "./ipaymu/calls.ts";
import { judge } from "./ipaymu/judge.ts";
import { type Opened, PROVIDER, type RedirectInput } from "./ipaymu/requests.ts";
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
  /**
   * Opens a hosted payment page (providers/ipaymu.md §3). Not repeatable: each call opens another one. There is no
   * transaction, and nothing to ask about, until the payer picks a channel.
   */
  createRedirect(input: RedirectInput): Promise<RedirectPage>;
  /** What iPaymu knows of a transaction (providers/ipaymu.md §3), or null when it knows nothing. */
  getTransaction(transactionId: string): Promise<IpaymuPayment | null>;
  /** A page of the transactions of that time, newest first (providers/ipaymu.md §3). */
  history(opened: Opened, page: number): Promise<HistoryPage>;
  /**
   * The transaction of one of our references that was opened in that time: paid before open before ended; null where
   * there is none. The only way to a payment whose callback was lost. Code `history_too_long`: even of one status there
   * are too many.
   */
  findByReference(providerRef: string, opened: Opened): Promise<IpaymuPayment | null>;
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
    createRedirect: (input) => createRedirect(line, input),
    getTransaction: (transactionId) => getTransaction(line, transactionId),
    history: (opened, page) => history(line, opened, { page }),
    findByReference: (providerRef, opened) => findByReference(line, providerRef, opened),
    listChannels: () => listChannels(line),
    async verifyCallback(rawBody, signatures) {
      const signed = await isSigned(account, rawBody, signatures);
      return signed ? readCallback(rawBody) : null;
    },
  };
}
