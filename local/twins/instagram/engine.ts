import { randomBytes } from "node:crypto";
import { type Clock, Timers } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import { fetchImage } from "../common/fetch-image.ts";
import { firstNumber } from "../common/first-number.ts";
import { OwnDials } from "../common/own-dials.ts";
import type { WrongName } from "./errors.ts";

export interface InstagramOptions {
  appId: string;
  appSecret: string;
  /** The redirect address of the app; without it any is taken. */
  redirectUrl?: string;
  /** Posts in 24 hours; Meta's pages name 25, 50 and 100. */
  quota?: number;
  /** Fetch and check the pictures; without, any address is taken for a fitting one (tests). */
  fetchImages?: boolean;
  clock?: Clock;
}

export interface Account {
  id: string;
  /** What the code's exchange calls the account: another number. */
  scopedId: string;
  username: string;
  restricted: boolean;
}

export interface Token {
  accountId: string;
  kind: "short" | "long";
  madeAt: number;
  until: number;
  revoked: boolean;
}

export interface Container {
  id: string;
  accountId: string;
  imageUrl: string;
  caption: string;
  altText: string;
  children: string[];
  isItem: boolean;
  createdAt: number;
  readyAt: number;
  failed: boolean;
  published: boolean;
}

export interface Post {
  id: string;
  accountId: string;
  containerId: string;
  caption: string;
  images: string[];
  at: number;
}

const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const dialMeanings = {
  processMs: "the wait before a container is FINISHED (200)",
  containerFails: "a container ends as ERROR",
  wrong: "a call is refused with this error (server): see the names in the twin's errors",
  bareAnswers: "the exchange and /me answer a bare object instead of a list of one",
  quota: "so many posts in 24 hours",
} as const;

/** What Instagram knows and does: accounts, tokens, containers that get ready, posts. */
export class Instagram {
  readonly accounts = new Map<string, Account>();
  readonly tokens = new Map<string, Token>();
  readonly codes = new Map<string, { accountId: string; redirect: string; until: number }>();
  readonly containers = new Map<string, Container>();
  readonly posts: Post[] = [];
  readonly dials = new Dials();
  readonly own = new OwnDials(this.dials, dialMeanings);
  readonly timers = new Timers();
  readonly options: InstagramOptions;
  shiftMs = 0;
  private made = 0;
  private readonly first = BigInt(firstNumber());

  constructor(options: InstagramOptions) {
    this.options = options;
  }

  readonly clock: Clock = () => (this.options.clock ?? Date.now)() + this.shiftMs;

  newAccount(username: string): Account {
    this.made += 1;
    const n = this.first + BigInt(this.made);
    const id = String(17_841_400_000_000_000n + n);
    const scopedId = String(9_900_000_000_000_000n - n);
    const account = { id, scopedId, username: username || `toko_${this.made}`, restricted: false };
    this.accounts.set(id, account);
    return account;
  }

  code(account: Account, redirect: string): string {
    const code = randomBytes(24).toString("base64url");
    this.codes.set(code, { accountId: account.id, redirect, until: this.clock() + hourMs });
    return code;
  }

  token(accountId: string, kind: Token["kind"]): { token: string; expiresIn: number } {
    const token = `IGAA${randomBytes(24).toString("base64url")}`;
    const now = this.clock();
    const lifeMs = kind === "short" ? hourMs : 60 * dayMs;
    this.tokens.set(token, { accountId, kind, madeAt: now, until: now + lifeMs, revoked: false });
    return { token, expiresIn: lifeMs / 1000 };
  }

  /** The account of a token that works. */
  whose(token: string): Account | null {
    const known = this.tokens.get(token);
    if (!known || known.revoked || known.until <= this.clock()) return null;
    return this.accounts.get(known.accountId) ?? null;
  }

  revoke(accountId: string): void {
    for (const token of this.tokens.values())
      if (token.accountId === accountId) token.revoked = true;
  }

  age(accountId: string, ms: number): void {
    for (const token of this.tokens.values()) {
      if (token.accountId !== accountId) continue;
      token.madeAt -= ms;
      token.until -= ms;
    }
  }

  /** What Meta finds at a picture's address: nothing wrong, or what. */
  async judge(url: string): Promise<WrongName | null> {
    if (this.options.fetchImages === false) return null;
    const fetched = await fetchImage(url);
    if (!fetched) return "unfetchable";
    if (fetched.bytes > 8 * 1024 * 1024) return "tooLarge";
    if (fetched.facts?.type !== "jpeg") return "format";
    const ratio = fetched.facts.width / fetched.facts.height;
    return ratio < 0.8 || ratio > 1.91 ? "ratio" : null;
  }

  open(
    fields: Pick<
      Container,
      "accountId" | "imageUrl" | "caption" | "altText" | "children" | "isItem"
    >,
  ): Container {
    this.made += 1;
    const now = this.clock();
    const text = `${fields.accountId}\n${fields.caption}\n${fields.imageUrl}`;
    const container: Container = {
      ...fields,
      id: String(17_900_000_000_000_000n + BigInt(this.made)),
      createdAt: now,
      readyAt: now + this.own.number("processMs", text, 200),
      failed: this.own.take("containerFails", text) !== undefined,
      published: false,
    };
    this.containers.set(container.id, container);
    return container;
  }

  statusOf(container: Container): "IN_PROGRESS" | "FINISHED" | "PUBLISHED" | "ERROR" | "EXPIRED" {
    const now = this.clock();
    if (container.published) return "PUBLISHED";
    if (now >= container.createdAt + dayMs) return "EXPIRED";
    if (now < container.readyAt) return "IN_PROGRESS";
    return container.failed ? "ERROR" : "FINISHED";
  }

  recent<T extends { accountId: string }>(
    all: Iterable<T>,
    accountId: string,
    at: (one: T) => number,
  ): T[] {
    const from = this.clock() - dayMs;
    return [...all].filter((one) => one.accountId === accountId && at(one) > from);
  }

  quotaOf(accountId: string): { used: number; total: number } {
    const used = this.recent(this.posts, accountId, (post) => post.at).length;
    return { used, total: this.own.number("quota", accountId, this.options.quota ?? 50) };
  }

  /** Makes a post each time it is asked: publishing is not idempotent. */
  publish(container: Container): Post {
    this.made += 1;
    container.published = true;
    const children = container.children.map((id) => this.containers.get(id)?.imageUrl ?? "");
    const post = {
      id: String(18_000_000_000_000_000n + BigInt(this.made)),
      accountId: container.accountId,
      containerId: container.id,
      caption: container.caption,
      images: children.length > 0 ? children : [container.imageUrl],
      at: this.clock(),
    };
    this.posts.push(post);
    return post;
  }
}
