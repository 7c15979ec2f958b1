import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, type TestAnswer, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { newDomain, subscribe } from "./sites.ts";
import { concat, zipOf } from "./zips.ts";

const text = new TextEncoder();

/** A website of its own, that no server knows: what is uploaded to it needs none. */
export async function createSite(
  given?: TestUser,
  status = "ACTIVE",
): Promise<{ user: TestUser; id: string }> {
  const { user, id: subscriptionId } = await subscribe(given ?? (await createUser()));
  const name = newDomain();
  const [made] = await testContext().db.run(
    rows(
      sql`with s as (insert into hosting_servers (name, driver, base_url, web_address, ftp_host, sites_path, capacity)
            values (${name}, 'aapanel', ${`http://${name}`}, ${name}, ${name}, '/www/wwwroot', 0) returning id)
        insert into hosting_websites (user_id, subscription_id, server_id, domain, status, host_site_id, root,
          ftp_username, sealed_ftp_password)
        select ${user.userId}, ${subscriptionId}, id, ${name}, ${status}, '1', ${`/www/wwwroot/${name}`}, ${name}, 'x'
        from s returning id`,
      z.object({ id: z.string() }),
    ),
  );
  if (!made) throw new Error("no website was made");
  return { user, id: made.id };
}

export const smallZip = (marker = "Halo") =>
  zipOf([{ name: "index.html", data: text.encode(`<h1>${marker}</h1>`) }]);

/** A ZIP of bytes that do not shrink, of at least that size. */
export function bigZip(bytes: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(bytes);
  crypto.getRandomValues(data.subarray(0, Math.min(bytes, 65_536)));
  for (let at = 65_536; at < bytes; at *= 2) data.copyWithin(at, 0, Math.min(at, bytes - at));
  return zipOf([{ name: "besar.bin", data, method: 0 }]);
}

export interface FormOptions {
  filename?: string;
  type?: string;
  /** The id before the file, behind it, or not at all. */
  order?: "before" | "after" | "none";
}

const BOUNDARY = "----uji";

/** The contract's form, byte by byte. */
export function formOf(
  websiteId: string,
  file: Uint8Array | null,
  { filename = "situs.zip", type = "application/zip", order = "after" }: FormOptions = {},
): { body: Uint8Array<ArrayBuffer>; headers: Record<string, string> } {
  const field = text.encode(
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="websiteId"\r\n\r\n${websiteId}\r\n`,
  );
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`;
  const part = file ? concat(text.encode(head), file, text.encode("\r\n")) : new Uint8Array(0);
  const nothing = new Uint8Array(0);
  const body = concat(
    order === "before" ? field : nothing,
    part,
    order === "after" ? field : nothing,
    text.encode(`--${BOUNDARY}--\r\n`),
  );
  return { body, headers: { "content-type": `multipart/form-data; boundary=${BOUNDARY}` } };
}

export const upload = (
  user: TestUser | null,
  websiteId: string,
  file: Uint8Array | null,
  options: FormOptions = {},
): Promise<TestAnswer> =>
  api("/api/upload", {
    method: "POST",
    ...(user && { token: user.token }),
    ...formOf(websiteId, file, options),
  });

const uploadRow = z.object({
  id: z.string(),
  state: z.string(),
  key: z.string(),
  multipart_id: z.string().nullable(),
  original_name: z.string().nullable(),
});

/** All rows of a user's uploads, newest first. */
export async function uploadsOf(user: TestUser): Promise<z.output<typeof uploadRow>[]> {
  return await testContext().db.run(
    rows(
      sql`select id, state, key, multipart_id, original_name from hosting_uploads
        where user_id = ${user.userId} order by id desc`,
      uploadRow,
    ),
  );
}

/** What R2 holds of a user's archives. */
export async function keysOf(user: TestUser): Promise<string[]> {
  const { objects } = await testContext().assets.list({ prefix: `site-archives/${user.userId}/` });
  return objects.map(({ key }) => key);
}
