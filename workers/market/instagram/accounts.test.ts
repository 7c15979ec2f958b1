import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { fromBase64, unseal } from "../../../shared/crypto/index.ts";
import { connectAccount, disconnectAccount, getStatus } from "./accounts.ts";
import { authoriseLink, signState } from "./authorise.ts";
import { renewInstagramTokens } from "./renewal.ts";
import {
  connect,
  connectedDesk,
  type Desk,
  deskContext,
  fault,
  mailsOf,
  openDesk,
  run,
} from "./testing/post-bench.ts";

async function accountRow({ store }: Desk) {
  const [found] = await run(
    sql`select * from market_instagram_accounts where store_id = ${store.id}`,
  );
  return found;
}

const refused = (words: string) =>
  expect.objectContaining({ message: expect.stringContaining(words) });

describe("a connected account", () => {
  it("has its token sealed: a key version, then base64 of iv, tag and text", async () => {
    const desk = await connectedDesk();
    const row = await accountRow(desk);
    const sealed = String(row?.access_token_enc);
    const [version, packed] = sealed.split(".");
    expect(version).toBe(desk.ctx.config.SEALING_KEYS[0]?.[0]);
    expect(await unseal(desk.ctx.config, `market-instagram/${row?.id}/access`, sealed)).toBe(
      desk.fake.token,
    );
    expect(fromBase64(packed ?? "")?.length).toBe(12 + 16 + desk.fake.token.length);
    expect(await getStatus(desk.ctx)).toMatchObject({
      connected: true,
      username: "toko_uji",
      reason: null,
    });
  });

  it("is not given to another store, but can move once its store has left", async () => {
    const first = await connectedDesk();
    const second = await openDesk();
    const moved = { ...second, fake: first.fake, ctx: deskContext(second.seller, first.fake) };
    await expect(connect(moved)).rejects.toMatchObject({
      code: "conflict",
      message: "Akun Instagram ini sudah terhubung ke toko lain",
    });
    await disconnectAccount(first.ctx);
    await connect(moved);
    expect(await accountRow(first)).toMatchObject({
      status: "disconnected",
      access_token_enc: null,
    });
    expect(await getStatus(moved.ctx)).toMatchObject({ connected: true });
    expect(await getStatus(first.ctx)).toMatchObject({ connected: false, status: "disconnected" });
  });
});

describe("a code", () => {
  it("is not kept for a store that was deleted while Instagram answered", async () => {
    const desk = await openDesk();
    desk.fake.after = async (name) => {
      if (name === "exchangeCode") await run(sql`select market_store_end(${desk.store.id})`);
    };
    await expect(connect(desk)).rejects.toMatchObject({ code: "not_found" });
    expect(await accountRow(desk)).toMatchObject({
      status: "disconnected",
      access_token_enc: null,
    });
  });

  it("is not sought for a store that is gone", async () => {
    const desk = await openDesk();
    await run(sql`update market_stores set deleted_at = now() where id = ${desk.store.id}`);
    await expect(authoriseLink(desk.ctx, {})).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("comes with a state that is good once, for its user, in time", async () => {
    const desk = await openDesk();
    const other = await openDesk();
    const { ctx, fake, seller } = desk;
    const { state } = await authoriseLink(ctx, {});
    const use = (by: Desk, given: string) =>
      connectAccount(by.ctx, { code: by.fake.grant(), state: given });
    await expect(use(other, state)).rejects.toEqual(refused("tidak dikenal"));
    await expect(use(desk, `${state}x`)).rejects.toEqual(refused("tidak dikenal"));
    await expect(use(desk, "")).rejects.toEqual(refused("tidak dikenal"));
    const late = {
      userId: seller.userId,
      nonce: "n",
      redirectUrl: "https://x.example",
      expiresAt: Date.now() - 1,
    };
    await expect(use(desk, await signState(ctx, late))).rejects.toEqual(refused("kedaluwarsa"));
    expect(fake.count("exchangeCode")).toBe(0);
    const tried = await Promise.allSettled([1, 2, 3].map(() => use(desk, state)));
    expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(fake.count("exchangeCode")).toBe(1);
  });

  it("goes to pages of ours alone", async () => {
    const { ctx } = await openDesk();
    const ask = (redirectUrl: string) => authoriseLink(ctx, { redirectUrl });
    await expect(ask("https://evil.example/cb")).rejects.toMatchObject({ code: "invalid_input" });
    expect((await ask(`${ctx.config.APP_URL}/toko/cb`)).url).toContain(
      encodeURIComponent("/toko/cb"),
    );
  });

  it("that Instagram refuses is the seller's mistake; an outage is not, and a missing key is a 503", async () => {
    const desk = await openDesk();
    const { state } = await authoriseLink(desk.ctx, {});
    await expect(connectAccount(desk.ctx, { code: "x", state })).rejects.toMatchObject({
      code: "invalid_input",
    });
    desk.fake.before = () => {
      throw fault("unavailable");
    };
    await expect(connect(desk)).rejects.toMatchObject({ code: "provider_unavailable" });
    await expect(authoriseLink(deskContext(desk.seller, null), {})).rejects.toMatchObject({
      code: "not_configured",
    });
  });
});

describe("a token", () => {
  const due = ({ store }: Desk) =>
    run(sql`update market_instagram_accounts set renew_at = now() - interval '400 days',
      token_made_at = now() - interval '50 days' where store_id = ${store.id}`);
  const renew = ({ fake }: Desk) => renewInstagramTokens(deskContext(null, fake));

  it("is renewed at day 50, by one of many callers, and not again before it is due", async () => {
    const desk = await connectedDesk();
    const [planned] = await run(sql`select extract(day from renew_at - now())::int as days
      from market_instagram_accounts where store_id = ${desk.store.id}`);
    expect(Number(planned?.days)).toBeGreaterThanOrEqual(49);
    await due(desk);
    await Promise.all([renew(desk), renew(desk), renew(desk)]);
    await renew(desk);
    expect(desk.fake.count("refresh")).toBe(1);
    const row = await accountRow(desk);
    expect(row).toMatchObject({ generation: 2, status: "connected" });
    const sealed = String(row?.access_token_enc);
    expect(await unseal(desk.ctx.config, `market-instagram/${row?.id}/access`, sealed)).toBe(
      desk.fake.token,
    );
  });

  it("that is less than a day old is left alone", async () => {
    const desk = await connectedDesk();
    await due(desk);
    await run(
      sql`update market_instagram_accounts set token_made_at = now() where store_id = ${desk.store.id}`,
    );
    await renew(desk);
    expect(desk.fake.count("refresh")).toBe(0);
  });

  it("that cannot be renewed now is tried again within the hour, and stays", async () => {
    const desk = await connectedDesk();
    await due(desk);
    desk.fake.before = () => {
      throw fault("unavailable");
    };
    await renew(desk);
    const [waits] = await run(sql`select extract(epoch from renew_at - now())::int as wait, status
      from market_instagram_accounts where store_id = ${desk.store.id}`);
    expect(Number(waits?.wait)).toBeGreaterThan(3_000);
    expect(waits?.status).toBe("connected");
    desk.fake.before = () => undefined;
    await due(desk);
    await renew(desk);
    expect(desk.fake.count("refresh")).toBe(2);
  });

  it("that was revoked marks the account with a reason and tells the seller once; connecting again heals it", async () => {
    const desk = await connectedDesk();
    await due(desk);
    desk.fake.token = "another one by now";
    await renew(desk);
    await due(desk);
    await renew(desk);
    expect(await getStatus(desk.ctx)).toMatchObject({
      connected: false,
      status: "error",
      reason: "Alasan token",
    });
    expect(await mailsOf(desk.store)).toEqual([
      { template: "instagram_broken", reason: "Alasan token" },
    ]);
    await connect(desk);
    expect(await getStatus(desk.ctx)).toMatchObject({ connected: true, reason: null });
  });
});
