import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { PHONE_JPEG, PHONE_PNG } from "../../shared/files/image-samples.ts";
import { settleBackground, testContext } from "../testing/api.ts";
import { freeze } from "../testing/frost.ts";
import { replaceAvatar } from "./avatars.ts";
import { type Answer, execute, send, signedInUser } from "./test-people.ts";

const PATH = "/api/profile/avatar";

function upload(token: string, bytes: Uint8Array, { field = "avatar", path = PATH } = {}) {
  const form = new FormData();
  form.set(field, new File([new Uint8Array(bytes)], "avatar.jpg", { type: "image/jpeg" }));
  return send("POST", path, { token, raw: form });
}

const addressIn = ({ body }: Answer) =>
  z.object({ data: z.object({ avatar_url: z.string() }) }).parse(body).data.avatar_url;

async function filesOf(userId: number): Promise<string[]> {
  const { objects } = await env.ASSETS_BUCKET.list({ prefix: `avatars/${userId}/` });
  return objects.map((object) => `/uploads/${object.key}`);
}

describe.each([PATH, "/api/auth/profile/avatar"])("POST %s", (path) => {
  it("stores the picture without what it tells about its maker and shows it", async () => {
    const { id, token } = await signedInUser();
    const answer = await upload(token, PHONE_JPEG, { path });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      message: "Avatar berhasil diupload",
      data: {
        avatar_url: expect.stringMatching(new RegExp(`^/uploads/avatars/${id}/\\w+\\.jpg$`)),
      },
    });
    const address = addressIn(answer);
    expect((await send("GET", "/api/profile", { token })).body.data).toMatchObject({
      avatar_url: address,
    });
    const file = await send("GET", address);
    expect(file.status).toBe(200);
    expect(file.headers.get("content-type")).toBe("image/jpeg");
    expect(file.headers.get("x-content-type-options")).toBe("nosniff");
    expect(new TextDecoder().decode(PHONE_JPEG)).toMatch(/Somebody/);
    expect(file.text).not.toMatch(/Somebody|Phonemaker/);
  });
});

describe("a new avatar", () => {
  it("removes the one that it replaces, also when two arrive at once", async () => {
    const { id, token } = await signedInUser();
    await upload(token, PHONE_JPEG);
    await Promise.all([upload(token, PHONE_PNG), upload(token, PHONE_JPEG)]);
    const { body } = await send("GET", "/api/profile", { token });
    const { avatar_url } = z.object({ avatar_url: z.string() }).parse(body.data);
    await vi.waitFor(async () => expect(await filesOf(id)).toEqual([avatar_url]));
  });

  it("never deletes what was not made for this user", async () => {
    const victim = await signedInUser();
    const address = addressIn(await upload(victim.token, PHONE_PNG));
    const thief = await signedInUser();
    for (const stored of [
      address,
      `http://localhost:8787${address}`,
      "/uploads/../avatars/x.png",
    ]) {
      await execute(sql`update identity_users set avatar_url = ${stored} where id = ${thief.id}`);
      expect((await upload(thief.token, PHONE_PNG)).status).toBe(200);
    }
    expect((await send("GET", address)).status).toBe(200);
  });

  it("keeps the file of one that was not answered, and is set after all", async () => {
    const { id, token } = await signedInUser();
    const ctx = testContext({ userId: id, sessionId: "", roles: [] }, 200);
    const frost = await freeze(sql`select from identity_users where id = ${id} for update`);
    const kept = replaceAvatar(ctx, {
      kind: "ok",
      type: "png",
      width: 1,
      height: 1,
      bytes: PHONE_PNG,
    });
    await expect(kept).rejects.toMatchObject({ code: "unavailable" });
    await settleBackground();
    await frost.thaw();
    const shown = async () => (await send("GET", "/api/profile", { token })).body.data;
    await vi.waitFor(async () =>
      expect(await shown()).toMatchObject({ avatar_url: expect.stringContaining("/avatars/") }),
    );
    expect(await shown()).toMatchObject({ avatar_url: (await filesOf(id))[0] });
  });

  it("leaves no file behind when its sign-in has ended", async () => {
    const { id, token } = await signedInUser();
    await execute(sql`update identity_sessions set revoked_at = now() where user_id = ${id}`);
    expect((await upload(token, PHONE_PNG)).status).toBe(403);
    await vi.waitFor(async () => expect(await filesOf(id)).toEqual([]));
  });

  it("is refused unless its bytes are a JPEG or PNG of at most 5 MB", async () => {
    const { id, token } = await signedInUser();
    const text = (value: string) => new TextEncoder().encode(value);
    for (const [bytes, message] of [
      [text("PK\u0003\u0004 a zip named .jpg"), "File harus berupa gambar JPEG atau PNG"],
      [text("<svg onload=alert(1)>"), "File harus berupa gambar JPEG atau PNG"],
      [text("GIF89a"), "File harus berupa gambar JPEG atau PNG"],
      [PHONE_JPEG.slice(0, 40), "File harus berupa gambar JPEG atau PNG"],
      [new Uint8Array(5 * 1024 * 1024 + 1), "Ukuran file maksimal 5 MB"],
      [new Uint8Array(0), "Tidak ada file yang diupload"],
    ] as const) {
      const answer = await upload(token, bytes);
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({ success: false, message });
    }
    expect(await filesOf(id)).toEqual([]);
  });

  it("must be in the field `avatar` of a form", async () => {
    const { token } = await signedInUser();
    const answers = [
      await upload(token, PHONE_PNG, { field: "file" }),
      await send("POST", PATH, { token, body: { avatar: "x" } }),
      await send("POST", PATH, { token }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 400,
        body: { success: false, message: "Tidak ada file yang diupload" },
      });
    }
  });
});

describe("GET /uploads/*", () => {
  it("answers 404 in the app's envelope for what is not a public image", async () => {
    await env.ASSETS_BUCKET.put("certificates/1/ktp.jpg", PHONE_JPEG, {
      httpMetadata: { contentType: "image/jpeg" },
    });
    for (const key of [
      "avatars/1/none.jpg",
      "certificates/1/ktp.jpg",
      "",
      "avatars/%2e%2e/x.jpg",
    ]) {
      expect(await send("GET", `/uploads/${key}`)).toMatchObject({
        status: 404,
        body: { success: false, message: "File tidak ditemukan" },
      });
    }
  });

  it("answers HEAD and a tag that the reader holds without the bytes", async () => {
    const { token } = await signedInUser();
    const address = addressIn(await upload(token, PHONE_PNG));
    const head = await send("HEAD", address);
    expect(head).toMatchObject({ status: 200, text: "" });
    const headers = { "if-none-match": head.headers.get("etag") ?? "" };
    expect(await send("GET", address, { headers })).toMatchObject({ status: 304, text: "" });
  });
});
