import { Agent } from "node:https";
import { rootCertificates } from "node:tls";
import type { Client, Order as ClientOrder } from "acme-client";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import {
  AcmeError,
  type Answered,
  acmeError,
  problemType,
  read,
  unreachable,
} from "./acme-errors.ts";

const order = z.object({
  status: z.enum(["pending", "ready", "processing", "valid", "invalid"]),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
  url: z.url(),
});
export type Order = z.output<typeof order>;

const authorization = z.object({
  identifier: z.object({ value: z.string() }),
  status: z.enum(["pending", "valid", "invalid", "deactivated", "expired", "revoked"]),
  challenges: z.array(
    z.object({
      type: z.string(),
      url: z.url(),
      /** It becomes a file's name. */
      token: z
        .string()
        .regex(/^[A-Za-z0-9_-]{8,200}$/)
        .optional(),
      error: z.unknown().optional(),
    }),
  ),
});

export interface Challenge {
  url: string;
  token: string;
  /** What its file says. */
  text: string;
}

export interface Authorization {
  name: string;
  status: z.output<typeof authorization>["status"];
  /** The one over HTTP. */
  challenge: Challenge | null;
  /** Why it is invalid, as the problem's type says it. */
  why: string;
}

/** An account with one authority, for orders over HTTP-01. */
export interface Acme {
  /** Known or made; what it is known by is given back for the next time. */
  account(known: string | null, email: string): Promise<string>;
  newOrder(names: readonly string[]): Promise<Order>;
  /** Null when the authority knows of none. */
  order(url: string): Promise<Order | null>;
  authorization(url: string): Promise<Authorization>;
  /** Says that the challenge's file is in its place. */
  respond(challenge: Challenge): Promise<void>;
  /** Asks for the certificate of these names and this key. */
  finalize(order: Order, names: readonly string[], key: string): Promise<void>;
  certificate(order: Order): Promise<string>;
  close(): void;
}

export interface AcmeOptions {
  directoryUrl: string;
  accountKey: string;
  /** A further trusted root, for the directory itself. */
  ca: string | null;
  signal: AbortSignal;
}

type Library = typeof import("acme-client");

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 1024 * 1024;
/** Good nonces may be refused; the client itself repeats five times within each of these. */
const NONCE_TRIES = 5;

/** Loads the client on first use, so that an agent at rest stays small. One at a time: its settings are the module's. */
export async function openAcme(options: AcmeOptions): Promise<Acme> {
  const library = await import("acme-client");
  const wire = openWire(library, options);
  const { directoryUrl, accountKey } = options;
  let client = new library.Client({ directoryUrl, accountKey });
  const told = <T>(work: (client: Client) => Promise<T>) => wire.told(() => work(client));
  return {
    account: async (known, email) => {
      if (known !== null) {
        client = new library.Client({ directoryUrl, accountKey, accountUrl: known });
        if (await isKnown(wire, client)) return known;
        client = new library.Client({ directoryUrl, accountKey });
      }
      const contact = [`mailto:${email}`];
      await told((one) => one.createAccount({ termsOfServiceAgreed: true, contact }));
      return client.getAccountUrl();
    },
    newOrder: async (names) => {
      const identifiers = names.map((value) => ({ type: "dns", value }));
      return read(order, await told((one) => one.createOrder({ identifiers })));
    },
    order: async (url) => {
      try {
        return read(order, await told((one) => one.getOrder(asked({ url }))));
      } catch (error) {
        if (error instanceof AcmeError && [403, 404, 410].includes(error.status)) return null;
        throw error;
      }
    },
    authorization: async (url) => {
      const [found] = await told((one) => one.getAuthorizations(asked({ authorizations: [url] })));
      return await describe(client, read(authorization, found));
    },
    respond: async ({ url, token }) => {
      const status = "pending" as const;
      await told((one) => one.completeChallenge({ type: "http-01", url, token, status }));
    },
    finalize: async (of, names, key) => {
      const [, csr] = await library.crypto.createCsr({ altNames: [...names] }, key);
      await told((one) => one.finalizeOrder(asked(of), csr));
    },
    certificate: async (of) => await told((one) => one.getCertificate(asked(of))),
    close: wire.close,
  };
}

/** What the client reads of an order in its calls is a part of it. */
const asked = (part: Partial<Order>): ClientOrder => ({
  ...{
    url: "",
    status: part.status ?? "pending",
    identifiers: [],
    authorizations: [],
    finalize: "",
  },
  ...(part.url !== undefined && { url: part.url }),
  ...(part.finalize !== undefined && { finalize: part.finalize }),
  ...(part.authorizations !== undefined && { authorizations: part.authorizations }),
  ...(part.certificate !== undefined && { certificate: part.certificate }),
});

async function describe(
  client: Client,
  { identifier, status, challenges }: z.output<typeof authorization>,
): Promise<Authorization> {
  const found = challenges.find(({ type, token }) => type === "http-01" && token !== undefined);
  const { url = "", token } = found ?? {};
  const why = problemType(found?.error);
  if (token === undefined) return { name: identifier.value, status, challenge: null, why };
  const unmet = { type: "http-01", url, token, status: "pending" } as const;
  const text = await client.getChallengeKeyAuthorization(unmet);
  return { name: identifier.value, status, challenge: { url, token, text }, why };
}

async function isKnown(wire: Wire, client: Client): Promise<boolean> {
  try {
    await wire.told(() => client.updateAccount());
    return true;
  } catch (error) {
    if (error instanceof AcmeError && error.status < 500 && error.status !== 429) return false;
    throw error;
  }
}

interface Wire {
  told<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

/**
 * The client's HTTP: bounded, ended with the command, and without its own repeats, which sleep for as long as a busy
 * authority asks. Its errors are texts, so what was answered is noted beside it.
 */
function openWire({ axios }: Library, { ca, signal }: AcmeOptions): Wire {
  Object.assign(axios.defaults, {
    acmeSettings: { retryMaxAttempts: 0, retryDefaultDelay: 1 },
    ...{ timeout: TIMEOUT_MS, maxContentLength: MOST_BYTES, maxRedirects: 0, proxy: false },
  });
  const httpsAgent = new Agent({
    ...{ keepAlive: true, maxSockets: 2 },
    ...(ca !== null && { ca: [...rootCertificates, ca] }),
  });
  let last: Answered | null = null;
  const onRequest = axios.interceptors.request.use((config) => {
    last = null;
    return Object.assign(config, { httpsAgent, signal });
  });
  const onResponse = axios.interceptors.response.use((response) => {
    const { status, data, headers } = response;
    last = { status, data, retryAfter: headers["retry-after"] };
    return response;
  });
  const failure = (cause: unknown) => {
    if (signal.aborted) return new CommandError("cancelled", "the command was ended");
    return last !== null && last.status >= 400 ? acmeError(last) : unreachable(cause);
  };
  return {
    told: async (work) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await work();
        } catch (cause) {
          const error = failure(cause);
          const isNonce = error instanceof AcmeError && error.type === "badNonce";
          if (!isNonce || attempt === NONCE_TRIES) throw error;
        }
      }
    },
    close: () => {
      axios.interceptors.request.eject(onRequest);
      axios.interceptors.response.eject(onResponse);
      httpsAgent.destroy();
    },
  };
}
