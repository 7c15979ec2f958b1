import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { type Acme, type Authorization, type Order, openAcme } from "./acme.ts";
import { AcmeError } from "./acme-errors.ts";
import { confirmed, nextTry, noted, withoutOrder } from "./budget.ts";
import { placeChallenge, removeChallenge, sweepChallenges } from "./challenge.ts";
import { isSameNames } from "./facts.ts";
import { newKey, type OpenOrder, type Store } from "./store.ts";

export interface Wanted {
  domain: string;
  /** The domain first. */
  names: string[];
  email: string;
  staging: boolean;
}

export interface Obtained {
  chain: string;
  key: string;
  directory: string;
}

interface Run {
  ctx: AgentCtx;
  store: Store;
  wanted: Wanted;
  directory: string;
  acme: Acme;
  progress: Progress;
}

/** How often the authority is asked how far it is: soon at first, then less often. */
const FIRST_POLL_MS = 100;
const LONGEST_POLL_MS = 3_000;
const PATIENCE_MS = 120_000;
/** For a refusal by rate that names no time. */
const RATE_PAUSE_MS = 60 * 60_000;

/**
 * A certificate from the authority for these names. An order that an earlier run left open is gone on with, so a kill
 * costs nothing. Throws `unavailable` with the time of the next try when the budget is used up.
 */
export async function obtain(
  ctx: AgentCtx,
  store: Store,
  wanted: Wanted,
  progress: Progress,
): Promise<Obtained> {
  const { certificates } = ctx.settings;
  const directory = wanted.staging ? certificates.stagingUrl : certificates.directoryUrl;
  await sweepChallenges(ctx);
  const account = await store.account(directory);
  const acme = await openAcme({
    directoryUrl: directory,
    accountKey: account.key,
    ca: certificates.caFile === undefined ? null : readFileSync(certificates.caFile, "utf8"),
    signal: ctx.signal,
  });
  const run: Run = { ctx, store, wanted, directory, acme, progress };
  try {
    const left = await leftOpen(run);
    // Before the authority hears anything; an order under way is judged when its names are.
    if (!left) await assertMayTry(run, wanted.names, "");
    const url = await acme.account(account.url, wanted.email);
    if (url !== account.url) await store.keepAccount(directory, { ...account, url });
    const { order, kept } = (left && (await resumed(run, left))) ?? (await begun(run));
    return await completed(run, order, kept);
  } catch (error) {
    throw await explained(run, error);
  } finally {
    acme.close();
  }
}

async function leftOpen({ store, wanted, directory }: Run): Promise<OpenOrder | null> {
  const kept = await store.order(wanted.domain, wanted.staging);
  const isOurs = kept?.directory === directory && isSameNames(kept.names, wanted.names);
  return kept && isOurs ? kept : null;
}

type UnderWay = { order: Order; kept: OpenOrder };

async function resumed({ acme, progress }: Run, kept: OpenOrder): Promise<UnderWay | null> {
  const order = await acme.order(kept.url);
  if (!order || order.status === "invalid") return null;
  progress(10, ["going on with an order that was left open"]);
  return { order, kept };
}

async function begun(run: Run): Promise<UnderWay> {
  const { acme, store, wanted, directory, ctx } = run;
  await assertMayTry(run, wanted.names, "");
  const at = ctx.now().getTime();
  await store.keepBudget(noted(await store.budget(), ctx.now(), { orders: [{ at, directory }] }));
  const order = await acme.newOrder(wanted.names);
  const kept: OpenOrder = { v: 1, directory, names: wanted.names, url: order.url, key: newKey() };
  await store.keepOrder(wanted.domain, wanted.staging, kept);
  run.progress(20, ["the authority took the order"]);
  return { order, kept };
}

async function completed(run: Run, first: Order, kept: OpenOrder): Promise<Obtained> {
  const { acme, store, wanted, directory, ctx, progress } = run;
  let order = first;
  if (order.status === "pending") {
    for (const url of order.authorizations) await authorized(run, url, order);
    progress(60, ["every name is confirmed"]);
    order = await settled(run, order, ["ready", "valid"]);
  }
  if (order.status === "ready") {
    await acme.finalize(order, wanted.names, kept.key);
  }
  order = await settled(run, order, ["valid"]);
  if (order.certificate === undefined)
    throw new CommandError("unavailable", "the authority gave none");
  const issued = [{ at: ctx.now().getTime(), directory, names: wanted.names, order: order.url }];
  await store.keepBudget(noted(await store.budget(), ctx.now(), { issued }));
  const chain = await acme.certificate(order);
  assertFits(chain, kept.key, wanted.names);
  progress(80, ["the certificate is here"]);
  return { chain, key: kept.key, directory };
}

/** Puts the challenge's file in its place and has the authority look, unless it knows the name already. */
async function authorized(run: Run, url: string, order: Order): Promise<void> {
  const { acme, store, ctx, directory } = run;
  const found = await acme.authorization(url);
  if (found.status === "valid") return;
  if (!found.challenge || found.status !== "pending") throw refused(found);
  await assertMayTry(run, [found.name], order.url);
  const { challenge } = found;
  await placeChallenge(ctx, found.name, challenge);
  try {
    const failure = { at: ctx.now().getTime(), directory, name: found.name, order: order.url };
    await store.keepBudget(noted(await store.budget(), ctx.now(), { failures: [failure] }));
    await acme.respond(challenge);
    const read = () => acme.authorization(url);
    const ended = await polled(run, read, ({ status }) => status !== "pending");
    if (ended.status !== "valid") throw refused(ended);
    await store.keepBudget(confirmed(await store.budget(), directory, found.name));
  } finally {
    await removeChallenge(ctx, challenge);
  }
}

const refused = ({ name, why }: Authorization) =>
  new CommandError("tool_failed", `the authority could not confirm ${name} (${why})`);

async function settled(run: Run, order: Order, wanted: Order["status"][]): Promise<Order> {
  const read = async () => {
    const now = await run.acme.order(order.url);
    if (!now) throw new CommandError("unavailable", "the authority has forgotten the order");
    return now;
  };
  const isDone = ({ status }: Order) => wanted.includes(status) || status === "invalid";
  const now = await polled(run, read, isDone);
  if (now.status === "invalid")
    throw new CommandError("tool_failed", "the authority ended the order");
  return now;
}

async function polled<T>(
  { ctx }: Run,
  read: () => Promise<T>,
  isDone: (value: T) => boolean,
): Promise<T> {
  let pause = FIRST_POLL_MS;
  for (let waited = 0; ; waited += pause) {
    const value = await read();
    if (isDone(value)) return value;
    if (waited > PATIENCE_MS) {
      throw new CommandError("timeout", "the authority took too long", { retryable: true });
    }
    await after(pause, undefined, { signal: ctx.signal });
    pause = Math.min(pause * 2, LONGEST_POLL_MS);
  }
}

async function assertMayTry(
  { store, ctx, directory }: Run,
  names: readonly string[],
  open: string,
) {
  const budget = withoutOrder(await store.budget(), open);
  const next = nextTry(budget, { directory, names }, ctx.now());
  if (next) throw new CommandError("unavailable", notBefore(next));
}

const notBefore = (time: Date) =>
  `asked too often or in vain; the next try is possible at ${time.toISOString()}`;

/** The authority's own refusals in our words; what it has ended is not gone on with. */
async function explained(run: Run, error: unknown): Promise<unknown> {
  const { store, wanted, ctx, directory } = run;
  if (ctx.signal.aborted) return new CommandError("cancelled", "the command was ended");
  if (error instanceof CommandError && error.code === "tool_failed") {
    await store.dropOrder(wanted.domain, wanted.staging);
    const next = nextTry(await store.budget(), { directory, names: wanted.names }, ctx.now());
    const when = next ? `; the next try is possible at ${next.toISOString()}` : "";
    return new CommandError("tool_failed", `${error.message}${when}`);
  }
  if (!(error instanceof AcmeError)) return error;
  if (error.type === "rateLimited" || error.status === 429) {
    const until = ctx.now().getTime() + (error.retryAfterMs ?? RATE_PAUSE_MS);
    await store.keepBudget(
      noted(await store.budget(), ctx.now(), { pauses: [{ until, directory }] }),
    );
    return new CommandError("unavailable", notBefore(new Date(until)));
  }
  const retryable = error.status >= 500 || error.type === "badNonce";
  if (retryable) {
    return new CommandError("unavailable", "the authority is not in order now", { retryable });
  }
  await store.dropOrder(wanted.domain, wanted.staging);
  return new CommandError("tool_failed", `the authority refused the request (${error.type})`);
}

/** What was served to us is for this key and these names, and valid now. */
function assertFits(chain: string, key: string, names: readonly string[]): void {
  const leaf = new X509Certificate(chain);
  const isWhole =
    leaf.checkPrivateKey(createPrivateKey(key)) && names.every((name) => leaf.checkHost(name));
  if (!isWhole) throw new CommandError("integrity", "the certificate is not the one asked for");
}
