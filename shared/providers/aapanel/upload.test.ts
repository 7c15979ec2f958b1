import { describe, expect, test } from "vitest";
import { createAapanel } from "../aapanel.ts";
import type { FetchInit } from "../http.ts";

async function formOf(init: FetchInit): Promise<FormData> {
  const { body = null, headers } = init;
  const request = new Request("https://panel.example", {
    method: "POST",
    body,
    ...(headers ? { headers } : {}),
  });
  return await request.formData();
}

const piece = {
  folder: "/www/wwwroot/toko.example",
  name: "a.zip",
  size: 10,
  start: 4,
  bytes: new Uint8Array([13, 10, 45, 45, 0, 255]),
};

function panelThat(says: (form: FormData) => unknown | Promise<unknown>) {
  return createAapanel({
    baseUrl: "https://panel.example:8888",
    apiKey: "0123456789abcdef0123456789ABCDEF",
    timeoutMs: 500,
    sleep: async () => undefined,
    fetch: async (_, init) => Response.json(await says(await formOf(init))),
  });
}

describe("a piece of a file", () => {
  test("is a multipart form with the bytes as they are and the token beside them", async () => {
    let sent: Record<string, unknown> = {};
    const panel = panelThat(async (form) => {
      const file = form.get("blob");
      const bytes = file instanceof File ? new Uint8Array(await file.arrayBuffer()) : null;
      sent = { ...Object.fromEntries(form), blob: bytes };
      return 10;
    });
    expect(await panel.uploadChunk(piece)).toBe(10);
    expect(sent).toMatchObject({
      f_path: "/www/wwwroot/toko.example",
      f_name: "a.zip",
      f_size: "10",
      f_start: "4",
      request_token: expect.stringMatching(/^[0-9a-f]{32}$/),
      blob: piece.bytes,
    });
  });

  test("that is the last is told from one that is not", async () => {
    expect(await panelThat(() => ({ status: true, msg: "ok" })).uploadChunk(piece)).toBe("whole");
    expect(await panelThat(() => 4).uploadChunk(piece)).toBe(4);
  });

  test.each([11, -1, 1.5, "4", { status: false, msg: "no" }, { status: -1, message: {} }, null])(
    "is not taken for stored after %j",
    async (answer) => {
      await expect(panelThat(() => answer).uploadChunk(piece)).rejects.toMatchObject({
        provider: "aapanel",
      });
    },
  );
});
