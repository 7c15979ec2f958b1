import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { runJob } from "../../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../../shared/jobs/test-queues.ts";
import {
  type ContainerStatus,
  type Instagram,
  type InstagramAuth,
  InstagramError,
  type InstagramFault,
} from "../../../../shared/providers/instagram.ts";
import {
  createStore,
  createUser,
  type TestStore,
  type TestUser,
  unique,
} from "../../../testing/factories.ts";
import { connectAccount } from "../accounts.ts";
import { authoriseLink } from "../authorise.ts";
import { instagramJob } from "../job.ts";
import { draftPost } from "../posts.ts";

export type CallName = keyof Instagram;

const PASSING: InstagramFault[] = ["quota", "throttled", "not_ready", "unavailable", "unknown"];

export const fault = (name: InstagramFault) =>
  new InstagramError(
    name,
    `Alasan ${name}`,
    {
      kind: "refused",
      retryable: PASSING.includes(name),
      outcome: name === "unknown" ? "unknown" : "not_done",
    },
    "a fault of the test",
  );

interface Container {
  accountId: string;
  imageUrl: string;
  caption: string;
  status: ContainerStatus;
}

let numbers = 0;
const number = () => {
  numbers += 1;
  return `${Date.now()}${numbers}`.slice(-17);
};

/** One Instagram account in memory. Publishing is not idempotent here either: each call makes a post. */
export class FakeInstagram implements Instagram {
  readonly accountId = number();
  readonly calls: CallName[] = [];
  readonly containers = new Map<string, Container>();
  readonly posts: { id: string; caption: string; imageUrl: string }[] = [];
  readonly #codes = new Set<string>();
  token = unique("IGAA");
  /** How a new container stands when it is first looked at. */
  born: ContainerStatus = "FINISHED";
  total: number | null = 50;
  used = 0;
  before: (name: CallName) => void = () => undefined;
  after: (name: CallName) => void | Promise<void> = () => undefined;

  count(name: CallName): number {
    return this.calls.filter((call) => call === name).length;
  }

  grant(): string {
    const code = unique("code");
    this.#codes.add(code);
    return code;
  }

  async #does<T>(
    name: CallName,
    act: () => T,
    auth?: Pick<InstagramAuth, "accessToken">,
  ): Promise<T> {
    this.calls.push(name);
    this.before(name);
    if (auth && auth.accessToken !== this.token) throw fault("token");
    const result = act();
    await this.after(name);
    return result;
  }

  authoriseUrl: Instagram["authoriseUrl"] = ({ state, redirectUrl }) =>
    `https://instagram.example/?state=${state}&redirect_uri=${encodeURIComponent(redirectUrl)}`;

  exchangeCode: Instagram["exchangeCode"] = ({ code }) =>
    this.#does("exchangeCode", () => {
      if (!this.#codes.delete(code)) throw fault("rejected");
      const expiresAt = new Date(Date.now() + 60 * 86_400_000);
      return {
        accessToken: this.token,
        expiresAt,
        accountId: this.accountId,
        username: "toko_uji",
      };
    });

  refresh: Instagram["refresh"] = (accessToken) =>
    this.#does(
      "refresh",
      () => {
        this.token = unique("IGAA");
        return { accessToken: this.token, expiresAt: new Date(Date.now() + 60 * 86_400_000) };
      },
      { accessToken },
    );

  publishingLimit: Instagram["publishingLimit"] = (auth) =>
    this.#does("publishingLimit", () => ({ used: this.used, total: this.total }), auth);

  createContainer: Instagram["createContainer"] = (auth, post) =>
    this.#does(
      "createContainer",
      () => {
        const id = number();
        this.containers.set(id, { accountId: auth.accountId, ...post, status: this.born });
        return id;
      },
      auth,
    );

  containerStatus: Instagram["containerStatus"] = (auth, id) =>
    this.#does("containerStatus", () => this.#container(id).status, auth);

  publish: Instagram["publish"] = (auth, id) =>
    this.#does(
      "publish",
      () => {
        const container = this.#container(id);
        if (container.status === "IN_PROGRESS") throw fault("not_ready");
        container.status = "PUBLISHED";
        const post = { id: number(), caption: container.caption, imageUrl: container.imageUrl };
        this.posts.push(post);
        return post.id;
      },
      auth,
    );

  permalink: Instagram["permalink"] = (auth, id) =>
    this.#does("permalink", () => `https://www.instagram.com/p/${id}/`, auth);

  #container(id: string): Container {
    const found = this.containers.get(id);
    if (!found) throw fault("gone");
    return found;
  }
}

/** A seller whose store has an Instagram account, and a picture that fits. */
export interface Desk {
  seller: TestUser;
  store: TestStore;
  fake: FakeInstagram;
  ctx: Ctx;
  imageUrl: string;
}

export function deskContext(seller: TestUser | null, fake: FakeInstagram | null): Ctx {
  const base = contextWithQueues().ctx;
  return { ...base, actor: seller, providers: { ...base.providers, instagram: fake } };
}

export async function openDesk(): Promise<Desk> {
  const seller = await createUser(["buyer", "seller"]);
  const store = await createStore(seller);
  const fake = new FakeInstagram();
  const ctx = deskContext(seller, fake);
  return { seller, store, fake, ctx, imageUrl: await addJpeg(ctx, seller) };
}

export async function connect({ ctx, fake }: Desk): Promise<void> {
  const { state } = await authoriseLink(ctx, {});
  await connectAccount(ctx, { code: fake.grant(), state });
}

export async function connectedDesk(): Promise<Desk> {
  const desk = await openDesk();
  await connect(desk);
  return desk;
}

/** A JPEG's structure with any size; the picture in it is grey. */
export function jpeg(width: number, height: number): Uint8Array {
  const bytes = [
    [0xff, 0xd8],
    [0xff, 0xdb, 0, 67, 0, ...new Array<number>(64).fill(1)],
    [0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0],
    [0xff, 0xc4, 0, 20, 0, 1, ...new Array<number>(15).fill(0), 0],
    [0xff, 0xc4, 0, 20, 0x10, 1, ...new Array<number>(15).fill(0), 0],
    [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0, 0],
    [0xff, 0xd9],
  ];
  return Uint8Array.from(bytes.flat());
}

export async function addPicture(
  ctx: Ctx,
  seller: TestUser,
  bytes: Uint8Array,
  end: "jpg" | "png" | "webp",
) {
  const key = `products/${seller.userId}/${crypto.randomUUID().replaceAll("-", "")}.${end}`;
  await ctx.assets.put(key, bytes);
  return `${ctx.config.APP_URL}/uploads/${key}`;
}

export const addJpeg = (ctx: Ctx, seller: TestUser, width = 1_080, height = 1_080) =>
  addPicture(ctx, seller, jpeg(width, height), "jpg");

export const run = (query: ReturnType<typeof sql>) =>
  contextWithQueues().ctx.db.run(rows(query, z.record(z.string(), z.unknown())));

/** A post that is due now. */
export async function duePost(desk: Desk, caption = "Kopi panen baru #kopi") {
  const { ctx, imageUrl } = desk;
  const scheduleAt = new Date(Date.now() + 3_600_000).toISOString();
  return await draftPost(ctx, { caption, imageUrl, scheduleAt });
}

export async function postRow(id: string) {
  const [found] = await run(sql`select * from market_instagram_posts where id = ${id}`);
  return found ?? null;
}

/** Lets a time pass for a post: pauses, leases, what it waits for. Its schedule's moment is a minute ago at most. */
export async function letPass(id: string, span = "2 minutes"): Promise<void> {
  await run(sql`update market_instagram_posts set publish_sent_at = publish_sent_at - ${span}::interval,
    container_at = container_at - ${span}::interval,
    scheduled_at = least(scheduled_at - ${span}::interval, now()) where id = ${id}`);
  await run(sql`update jobs set run_at = now() - interval '1 minute', lease_until = now() - interval '1 minute'
    where payload->>'post_id' = ${id} and finished_at is null`);
}

/** The post's job, as cron would wake it. */
export async function turn(desk: Desk, id: string, ctx: Ctx = deskContext(null, desk.fake)) {
  await letPass(id);
  const row = await postRow(id);
  const jobId = z.string().parse(row?.job_id);
  return await runJob(ctx, jobId, [instagramJob({ firstLookMs: 0 })]);
}

export async function mailsOf(store: TestStore) {
  const found =
    await run(sql`select j.payload->>'template' as template, j.payload->'data'->>'reason' as reason
    from jobs j join identity_users u on u.email = j.payload->>'to'
    join market_stores s on s.user_id = u.id where j.kind = 'mail.send' and s.id = ${store.id}`);
  return found;
}
