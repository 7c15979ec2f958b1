import { afterEach, describe, expect, test } from "vitest";
import { createAapanel } from "../aapanel.ts";
import { answer, broken, FakeNetwork, silent } from "../testing/fake-network.ts";
import { requestToken } from "./line.ts";

const BASE = "https://panel.example:8888";
const KEY = "0123456789abcdef0123456789ABCDEF";

const network = new FakeNetwork();
afterEach(() => network.verify());

const panel = createAapanel({
  baseUrl: BASE,
  apiKey: KEY,
  timeoutMs: 40,
  fetch: network.fetch,
  sleep: async () => undefined,
  now: () => new Date(1_700_000_000_000),
});
const says = (path: string, body: unknown, status = 200) =>
  network.on("POST", `${BASE}${path}`, answer(status, body));
const sentForm = (at = 0) => Object.fromEntries(new URLSearchParams(network.sent[at]?.body ?? ""));
const site = { id: "7", name: "toko.example" };
const newSite = {
  domain: "toko.example",
  aliases: [],
  path: "/www/wwwroot/toko.example",
  phpVersion: "82",
  note: "lumbung 1",
  ftp: { username: "toko_1", password: "rahasia1" },
  database: { name: "toko_1", password: "rahasia2" },
};

describe("the token", () => {
  test.each([
    ["1700000000", "df3637e00d16e973d82f44336a9372e9"],
    ["1767225600", "5942a5900be0103a36ae6cc5b4c6a6ae"],
    ["1700000000000", "3d9afe638080e88d2efd2c477bb43196"],
  ])("of %s matches the provider's vector", (time, token) => {
    expect(requestToken(KEY, time)).toBe(token);
  });

  test("is not the digest of the key itself", () => {
    expect(requestToken(KEY, "1700000000")).not.toBe("b9fc2ca4fdecf3eac58b503e5ad1aa05");
  });
});

describe("a call", () => {
  test("is a POST with its parameters and token in the form, without cookies", async () => {
    says("/site?action=SiteStop", { status: true, msg: "Site stopped" });
    await panel.setRunning(site, false);
    expect(sentForm()).toEqual({
      id: "7",
      name: "toko.example",
      request_time: "1700000000",
      request_token: "df3637e00d16e973d82f44336a9372e9",
    });
    expect(network.sent[0]?.headers).toEqual({
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
      "user-agent": "lumbung/1",
    });
    expect(network.sent[0]?.redirect).toBe("manual");
  });

  test("that is refused for our address says which address the panel saw", async () => {
    const words = "IP validation failed, your access IP is[203.0.113.9]";
    says("/site?action=SiteStop", { status: false, msg: words });
    const failure = panel.setRunning(site, false);
    await expect(failure).rejects.toMatchObject({
      kind: "unauthorised",
      code: "address_refused",
      seenAddress: "203.0.113.9",
      retryable: false,
      outcome: "not_done",
    });
    await expect(failure).rejects.toThrow("it saw our address as 203.0.113.9");
  });

  test.each([
    ["Secret key verification failed", { kind: "unauthorised", code: "bad_key" }],
    ["密钥校验失败", { kind: "unauthorised", code: "bad_key" }],
    [
      "IP校验失败,您的访问IP为[2001:db8::7]",
      { code: "address_refused", seenAddress: "2001:db8::7" },
    ],
    [
      "20 consecutive verification failures, prohibited for 1 hour",
      { kind: "rate_limited", code: "locked_out", retryAfterMs: 3_600_000 },
    ],
    ["Specific parameters are invalid!", { kind: "invalid", code: "unknown_action" }],
    ["The site you tried to add already exists!", { kind: "refused", code: "exists" }],
    ["The specified PHP version does NOT exist!", { kind: "refused", code: "php_version" }],
    ["<b>Nginx</b> kata <script>", { kind: "refused", code: "not_accepted" }],
  ])("that is refused with %j is not done, and none of its words is kept", async (msg, failure) => {
    says("/site?action=SiteStop", { status: false, msg });
    const refused = panel.setRunning(site, false);
    await expect(refused).rejects.toMatchObject({ outcome: "not_done", ...failure });
    await expect(refused).rejects.not.toThrow(msg);
  });

  test("is refused by the second edition's envelope and by a list of texts too", async () => {
    says("/site?action=SiteStop", { status: -1, timestamp: 1, message: { result: "not found" } });
    await expect(panel.setRunning(site, false)).rejects.toMatchObject({ code: "not_found" });
    says("/acme?action=apply_cert_api", {
      status: false,
      msg: ["DNS", { deep: true }],
      index: "1",
    });
    await expect(panel.applyCertificate("7", ["a.example"])).rejects.toMatchObject({
      outcome: "not_done",
      kind: "refused",
    });
  });

  test.each([
    ["a page with 200", answer(200, "<html>login</html>")],
    ["a page with 404, as after an exception", answer(404, "<html>404</html>")],
    ["a redirect to the login", answer(302, "", { location: "/login" })],
    ["a status of the server's own", answer(502, "<html>")],
    ["silence", silent],
    ["a socket that closes", broken(null)],
    ["success in another shape", answer(200, { ok: 1 })],
  ])("that changes something and gets %s is in doubt and not repeated", async (_, reply) => {
    network.on("POST", `${BASE}/site?action=AddSite`, reply);
    await expect(panel.addSite(newSite)).rejects.toMatchObject({ outcome: "unknown" });
    expect(network.sent).toHaveLength(1);
  });

  test("that never left is surely not done", async () => {
    network.on("POST", `${BASE}/site?action=AddSite`, broken("ECONNREFUSED"));
    await expect(panel.addSite(newSite)).rejects.toMatchObject({ outcome: "not_done" });
  });

  test("that only reads is repeated after a passing failure", async () => {
    says("/data?action=getData", "busy", 503);
    says("/data?action=getData", { data: [] });
    expect(await panel.findSite("toko.example")).toBeNull();
  });
});

describe("a new site", () => {
  test("is asked for with all that the panel wants, names as JSON text", async () => {
    says("/site?action=AddSite", {
      siteStatus: true,
      siteId: 42,
      ftpStatus: true,
      databaseStatus: true,
    });
    expect(await panel.addSite(newSite)).toEqual({ id: "42", ftpMade: true, databaseMade: true });
    expect(sentForm()).toMatchObject({
      webname: '{"domain":"toko.example","domainlist":[],"count":0}',
      path: "/www/wwwroot/toko.example",
      type: "PHP",
      version: "82",
      port: "80",
      ps: "lumbung 1",
      ftp: "true",
      ftp_username: "toko_1",
      ftp_password: "rahasia1",
      sql: "MySQL",
      datauser: "toko_1",
      datapassword: "rahasia2",
      codeing: "utf8mb4",
    });
  });

  test.each([
    [
      { ftpStatus: false, databaseStatus: true },
      { ftpMade: false, databaseMade: true },
    ],
    [{ ftpStatus: true }, { ftpMade: true, databaseMade: false }],
    [
      { ftpStatus: "no", databaseStatus: null },
      { ftpMade: false, databaseMade: false },
    ],
  ])("of which a part failed (%j) is told as such", async (part, made) => {
    says("/site?action=AddSite", { siteStatus: true, siteId: "42", ...part });
    expect(await panel.addSite(newSite)).toEqual({ id: "42", ...made });
  });

  test.each(["/", "/etc/../x", "www", "/www/./x", "/www//x", "/www/a;b", "/www/a\nb", "/www/$x"])(
    "is not put into %j",
    async (path) => {
      await expect(panel.addSite({ ...newSite, path })).rejects.toMatchObject({ kind: "invalid" });
      expect(network.sent).toHaveLength(0);
    },
  );
});

const row = (name: string, more: object = {}) => ({
  id: 7,
  name,
  path: `/www/wwwroot/${name}`,
  status: "1",
  ps: "lumbung 1",
  edate: "0000-00-00",
  ...more,
});

describe("a site that is looked for", () => {
  test("is the one of exactly that name, however many resemble it", async () => {
    const alike = Array.from({ length: 100 }, (_, n) => row(`x${n}.toko.example`, { id: n }));
    says("/data?action=getData", { data: alike, page: "<div>" });
    says("/data?action=getData", { data: [row("toko.example", { status: "0" })] });
    expect(await panel.findSite("toko.example")).toEqual({
      id: "7",
      name: "toko.example",
      path: "/www/wwwroot/toko.example",
      running: false,
      note: "lumbung 1",
      lastDay: null,
    });
    expect([sentForm(0).p, sentForm(1).p]).toEqual(["1", "2"]);
  });

  test("is not taken for absent when the panel says something else", async () => {
    says("/data?action=getData", { status: false, msg: "no" });
    await expect(panel.findSite("toko.example")).rejects.toMatchObject({ kind: "refused" });
  });
});

describe("accounts", () => {
  test("are found without the passwords that the panel shows", async () => {
    const found = { id: 3, name: "toko_1", path: "/www", status: "0", password: "rahasia" };
    says("/data?action=getData", { data: [found] });
    expect(await panel.findFtp("toko_1")).toEqual({
      id: "3",
      username: "toko_1",
      path: "/www",
      enabled: false,
    });
  });

  test("of a database need no msg in their success", async () => {
    says("/database?action=AddDatabase", { status: true, message: { result: "ok" }, id: 4 });
    await panel.addDatabase({ name: "toko_1", password: "x", siteId: "7", note: "toko" });
    expect(sentForm()).toMatchObject({ db_user: "toko_1", address: "127.0.0.1", pid: "7" });
  });
});

describe("certificates", () => {
  test("are applied for and then installed with their chain", async () => {
    const applied = { status: true, msg: "ok", cert: "CERT\n", root: "ROOT", private_key: "KEY" };
    says("/acme?action=apply_cert_api", applied);
    says("/site?action=SetSSL", { status: true, msg: "ok" });
    const issued = await panel.applyCertificate("7", ["toko.example"]);
    await panel.installCertificate("toko.example", issued);
    expect(sentForm(0)).toMatchObject({
      domains: '["toko.example"]',
      auth_type: "http",
      auth_to: "7",
    });
    expect(sentForm(1)).toMatchObject({ key: "KEY", csr: "CERT\nROOT", type: "1" });
  });

  test("that a site does not have are no failure, as status is data there", async () => {
    says("/site?action=GetSSL", { status: false, type: -1, domain: [], cert_data: {} });
    expect(await panel.findCertificate("toko.example")).toBeNull();
    says("/site?action=GetSSL", {
      status: true,
      type: 1,
      cert_data: { issuer: "R11", notAfter: "2027-01-31" },
    });
    expect(await panel.findCertificate("toko.example")).toEqual({
      issuer: "R11",
      notAfter: new Date("2027-01-31"),
    });
    says("/site?action=GetSSL", { status: false, msg: "Secret key verification failed" });
    await expect(panel.findCertificate("toko.example")).rejects.toMatchObject({ code: "bad_key" });
  });
});

describe("files", () => {
  test("of a folder are told from those of the folder that the panel shows instead", async () => {
    const listing = {
      DIR: ["css;4096;1700000000;755;www;"],
      FILES: ["a;b.html;12;1700000000;644;www;"],
    };
    says("/files?action=GetDir", { ...listing, PATH: "/www/wwwroot/toko.example/" });
    expect(await panel.listDirectory("/www/wwwroot/toko.example")).toEqual([
      { name: "css", kind: "directory", size: 4096 },
      { name: "a;b.html", kind: "file", size: 12 },
    ]);
    says("/files?action=GetDir", { ...listing, PATH: "/www/wwwroot" });
    expect(await panel.listDirectory("/www/wwwroot/toko.example/none")).toBeNull();
  });

  test("that are there already or gone already are no failure", async () => {
    says("/files?action=CreateDir", { status: false, msg: "The folder already exists" });
    await panel.makeDirectory("/www/wwwroot/toko.example/releases");
    says("/files?action=DeleteDir", { status: false, msg: "The directory does not exist" });
    await panel.removeEntry("/www/wwwroot/toko.example/releases", "directory");
    says("/files?action=DeleteDir", { status: false, msg: "Denied" });
    await expect(
      panel.removeEntry("/www/wwwroot/toko.example/releases", "directory"),
    ).rejects.toMatchObject({ kind: "refused" });
  });
});
