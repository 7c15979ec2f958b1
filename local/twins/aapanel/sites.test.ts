import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { type Hosting, newDomain, siteFields, startHosting } from "./testing.ts";

let panel: Hosting;

beforeAll(async () => {
  panel = await startHosting();
});
afterAll(() => panel.stop());

const ftp = (name: string) => ({ ftp: "true", ftp_username: name, ftp_password: "rahasia-1" });
let users = 0;
const newUser = () => {
  users += 1;
  return `user_${users}`;
};

describe("AddSite", () => {
  it("makes site, FTP account and database, without a word `status`", async () => {
    const domain = newDomain();
    const user = newUser();
    const more = {
      sql: "MySQL",
      datauser: "Toko_Kopi_Kelud_Jaya",
      datapassword: "x1",
      codeing: "utf8mb4",
    };
    const fields = { ...siteFields(domain), ...ftp(user), ...more };
    const { body } = await panel.ask("site", "AddSite", fields);
    expect(body).toEqual({
      siteStatus: true,
      siteId: expect.any(Number),
      ftpStatus: true,
      ftpUser: user,
      ftpPass: "rahasia-1",
      databaseStatus: true,
      databaseUser: "Toko_Kopi_Kelud_",
      databasePass: "x1",
      d_id: expect.any(Number),
      ssl: false,
      redirect: false,
    });
    const { data } = (await panel.ask("data", "getData", { table: "databases", search: "toko" }))
      .body;
    expect(data[0]).toMatchObject({ name: "toko_kopi_kelud_", accept: "127.0.0.1" });
    expect(await panel.list(`/www/wwwroot/${domain}`)).toContain("index.html");
  });

  const broken: [string, Record<string, string | undefined>][] = [
    ["no note", { ps: undefined }],
    ["no path", { path: undefined }],
    ["no port", { port: undefined }],
    ["a webname that is no JSON", { webname: "toko.example" }],
    ["an FTP account without a password", { ftp: "true", ftp_username: "budi" }],
  ];
  it.each(broken)("raises with %s, and makes nothing", async (_name, fields) => {
    const domain = newDomain();
    const answer = await panel.ask("site", "AddSite", { ...siteFields(domain), ...fields });
    expect(answer.status).toBe(404);
    expect((await call("GET", `${panel.twin.url}/_sites/${domain}`)).status).toBe(404);
  });

  const refused: [string, Record<string, string>, string][] = [
    ["a system directory", { path: "/etc/nginx" }, "System directories cannot be changed"],
    ["the folder of all sites", { path: "/www/wwwroot" }, "System directories cannot be changed"],
    ["a path with dots", { path: "/www/wwwroot/../x" }, "Unsafe path"],
    ["a PHP that is not there", { version: "99" }, "The specified PHP version does NOT exist!"],
    [
      "a name that is no host",
      { webname: '{"domain":"toko","domainlist":[]}' },
      "Domain name format is incorrect",
    ],
    ["a port below 100", { port: "99" }, "Port range is incorrect! should be between 100-65535"],
  ];
  it.each(refused)("refuses %s", async (_name, fields, msg) => {
    const { body } = await panel.ask("site", "AddSite", { ...siteFields(newDomain()), ...fields });
    expect(body).toEqual({ status: false, msg });
  });

  it("refuses a name twice, also as another site's alias", async () => {
    const { domain } = await panel.site();
    const again = await panel.ask("site", "AddSite", siteFields(domain));
    expect(again.body.msg).toBe("The site you tried to add already exists!");
    const webname = JSON.stringify({ domain: newDomain(), domainlist: [domain], count: 1 });
    const alias = await panel.ask("site", "AddSite", { ...siteFields(newDomain()), webname });
    expect(alias.body.msg).toBe("The domain you tried to add already exists!");
  });

  it("of two at once for one name, one stands", async () => {
    const fields = siteFields(newDomain());
    const both = await Promise.all([
      panel.ask("site", "AddSite", fields),
      panel.ask("site", "AddSite", fields),
    ]);
    expect(both.map(({ body }) => body.siteStatus === true).sort()).toEqual([false, true]);
  });

  it("leaves the site standing when its FTP account is refused", async () => {
    const user = newUser();
    await panel.site(ftp(user));
    const domain = newDomain();
    const taken = await panel.ask("site", "AddSite", { ...siteFields(domain), ...ftp(user) });
    expect(taken.body).toMatchObject({ siteStatus: true, ftpStatus: false });
    await panel.dial(domain, { ftpRefused: true });
    const path = `/www/wwwroot/${domain}`;
    const account = { ftp_username: newUser(), ftp_password: "rahasia-1", path, ps: domain };
    expect((await panel.ask("ftp", "AddUser", account)).body.status).toBe(false);
    await panel.dial(domain, {});
    expect((await panel.ask("ftp", "AddUser", account)).body.status).toBe(true);
  });
});

describe("a site's life", () => {
  it("stops and starts as often as asked, and only under its own name", async () => {
    const { id, domain } = await panel.site();
    const set = (action: string, name = domain) => panel.ask("site", action, { id, name });
    expect((await set("SiteStop")).body).toEqual({ status: true, msg: "Site stopped" });
    expect((await set("SiteStop")).body).toEqual({ status: true, msg: "Site stopped" });
    const row = await panel.ask("data", "getFind", { table: "sites", id });
    expect(row.body).toMatchObject({ name: domain, status: "0" });
    expect((await set("SiteStart", "another.example")).body.status).toBe(false);
    expect((await set("SiteStart")).body).toEqual({ status: true, msg: "Site started" });
  });

  it("serves the named day and is stopped when it is over, never deleted", async () => {
    let now = Date.parse("2026-11-21T10:00:00+07:00");
    const own = await startHosting({ clock: () => now });
    const { id, domain } = await own.site();
    await own.ask("site", "SetEdate", { id, edate: "2026-11-22" });
    now += 86_400_000;
    expect((await own.look(domain)).text).toContain("created successfully");
    now += 86_400_000;
    expect((await own.look(domain)).text).toContain("Site stopped");
    expect((await own.ask("data", "getKey", { table: "sites", id, key: "status" })).body).toBe("0");
    await own.stop();
  });

  it.each(["22-11-2026", "2026-02-31x", "kapan"])("refuses %s as a day", async (edate) => {
    const { id } = await panel.site();
    expect((await panel.ask("site", "SetEdate", { id, edate })).body.status).toBe(false);
  });

  it("goes with what is asked for: flags, of which `path` must be a number", async () => {
    const user = newUser();
    const { id, domain } = await panel.site(ftp(user));
    const fields = { id, webname: domain };
    const text = await panel.ask("site", "DeleteSite", {
      ...fields,
      path: `/www/wwwroot/${domain}`,
    });
    expect(text.status).toBe(404);
    expect((await panel.ask("site", "DeleteSite", { ...fields, ftp: "1" })).body.status).toBe(true);
    expect((await panel.hand("ftp-login", { username: user, password: "rahasia-1" })).body.ok).toBe(
      false,
    );
    expect(await panel.list(`/www/wwwroot/${domain}`)).toContain("index.html");
  });

  it("takes its files along with path=1", async () => {
    const { id, domain } = await panel.site();
    await panel.ask("site", "DeleteSite", { id, webname: domain, path: "1" });
    expect(await panel.list(`/www/wwwroot/${domain}`)).toEqual([]);
    expect((await panel.ask("data", "getFind", { table: "sites", id })).body).toEqual([]);
  });

  it("has domains, of which the last stays", async () => {
    const { id, domain } = await panel.site();
    const webname = domain;
    const alias = newDomain();
    const add = { id, webname, domain: `${alias}:8080,${newDomain()}` };
    expect((await panel.ask("site", "AddDomain", add)).body.status).toBe(true);
    expect((await panel.look(alias)).text).toContain("created successfully");
    const { body } = await panel.ask("data", "getData", {
      table: "domain",
      search: id,
      list: "true",
    });
    expect(body).toHaveLength(3);
    for (const { name, port } of body.slice(0, 2)) {
      await panel.ask("site", "DelDomain", { id, webname, domain: name, port: String(port) });
    }
    const [last] = (
      await panel.ask("data", "getData", { table: "domain", search: id, list: "true" })
    ).body;
    const gone = { id, webname, domain: last.name, port: String(last.port) };
    expect((await panel.ask("site", "DelDomain", gone)).body.status).toBe(-1);
  });
});

it("finds sites by a part of their name, so that a look-up must compare", async () => {
  const name = newDomain();
  await panel.ask("site", "AddSite", siteFields(`a${name}`));
  await panel.ask("site", "AddSite", siteFields(name));
  const { data } = (await panel.ask("data", "getData", { table: "sites", search: name })).body;
  expect(data.map((row: { name: string }) => row.name).sort()).toEqual([`a${name}`, name].sort());
});

it("turns FTP off and on, and changes its password", async () => {
  const user = newUser();
  await panel.site(ftp(user));
  const { data } = (await panel.ask("data", "getData", { table: "ftps", search: user })).body;
  const id = String(data[0].id);
  const login = async (password: string) =>
    (await panel.hand("ftp-login", { username: user, password })).body.ok;
  expect(await login("rahasia-1")).toBe(true);
  await panel.ask("ftp", "SetStatus", { id, username: user, status: "0" });
  expect(await login("rahasia-1")).toBe(false);
  await panel.ask("ftp", "SetStatus", { id, username: user, status: "1" });
  const change = { id, ftp_username: user, new_password: "baru-sekali" };
  await panel.ask("ftp", "SetUserPassword", change);
  expect([await login("rahasia-1"), await login("baru-sekali")]).toEqual([false, true]);
});

it("answers the success of AddDatabase without `msg`", async () => {
  const fields = { name: "gudang", db_user: "gudang", password: "p@ss", codeing: "utf8mb4" };
  const { body } = await panel.ask("database", "AddDatabase", { ...fields, address: "%", ps: "x" });
  expect(body).toEqual({
    status: true,
    timestamp: expect.any(Number),
    message: { result: expect.any(String) },
    id: expect.any(Number),
  });
  const root = { ...fields, name: "root", db_user: "root", address: "%", ps: "x" };
  expect((await panel.ask("database", "AddDatabase", root)).body.status).toBe(false);
});
