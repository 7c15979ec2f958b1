import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { ownServer } from "./servers.ts";

/** What a block of SQL says at its end; all that it did is undone, so that no other test sees these servers. */
async function said(block: string): Promise<string> {
  try {
    await testContext().db.run(rows(sql.raw(`do $$ ${block} $$`), z.unknown()));
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  throw new Error("nothing was said");
}

const server = (name: string, capacity: number, sites: number, isActive = true) =>
  `insert into hosting_servers (name, driver, base_url, web_address, ftp_host, sites_path, capacity, sites, is_active)
    values ('${name}', 'aapanel', 'https://${name}.example', '${name}', '${name}', '/www/wwwroot', ${capacity}, ${sites},
    ${isActive});`;

const places = (servers: string, count: number, own = "null") =>
  said(`declare
      taken text[] := '{}';
      place uuid;
    begin
      update hosting_servers set is_active = false;
      ${servers}
      for n in 1..${count} loop
        place := hosting_server_take(${own});
        taken := taken || coalesce((select name from hosting_servers where id = place), 'none');
      end loop;
      perform app_error('conflict', array_to_string(taken, ' '));
    end`);

describe("a new site", () => {
  test("goes to the emptiest server until all are full, never to one that is switched off", async () => {
    const three = server("besar", 10, 6) + server("kecil", 4, 1) + server("mati", 100, 0, false);
    expect(await places(three, 8)).toBe("kecil kecil besar besar kecil besar besar none");
  });

  test("finds the configuration's server without anybody having added it", async () => {
    const config = { ...testContext().config, AAPANEL_URL: "https://baru.example:8888" };
    const own = JSON.stringify({ ...ownServer(config), capacity: 1 });
    expect(await places("", 2, `'${own}'::jsonb`)).toBe("default none");
  });
});

test("without a server in the configuration there is none to add", () => {
  const { AAPANEL_URL: _, ...rest } = testContext().config;
  expect(ownServer(rest as ReturnType<typeof testContext>["config"])).toBeNull();
});
