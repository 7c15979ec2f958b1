import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFailed, onTestFinished, test } from "vitest";
import { needs } from "../agent/testing/needs.ts";
import { call, ended, handshake, orderSite, type Panel, siteNow, startPanel } from "./panel.ts";
import { eventually } from "./platform.ts";

interface Trail {
  actor_user: string;
  action: string;
  target_id: string;
  metadata: string;
}

needs(
  "nginx",
  "php-fpm",
  "mariadb",
  "pebble",
  "root",
)("the panel and a real server", () => {
  let panel: Panel;

  beforeAll(async () => {
    panel = await startPanel();
  }, 180_000);
  afterAll(async () => {
    await panel?.stop();
  });

  const tellOnFailure = () =>
    onTestFailed(() => {
      console.error(panel.agent.said().slice(-3_000));
      console.error(panel.platform.workerLog().slice(-3_000));
    });

  const active = async (runtime: "php" | "static") => {
    const { site, job } = await orderSite(panel, runtime);
    expect(await ended(panel, job.id)).toMatchObject({ status: "success", error: "" });
    expect(await siteNow(panel, site)).toMatchObject({ status: "active" });
    return site;
  };
  const trail = async (query: string) =>
    (await call<{ items: Trail[] }>(panel, "GET", `/v1/audit/logs?limit=500&${query}`)).body.items;
  /** The serial of what a browser trusts; workers that a reload replaces may show another site's for a moment. */
  const trusted = async (domain: string) => {
    let seen = { serial: "", isTrusted: false };
    await eventually("the certificate in use", async () => {
      seen = await handshake(panel, domain);
      return seen.isTrusted;
    });
    return seen.serial;
  };
  /** Kept by the agent: what the authority was asked for is found again from now on. */
  const isOrdered = async (domain: string) =>
    existsSync(join(panel.machine.settings.certificates.dir, "orders", `${domain}.json`));
  const ordersAt = () => panel.pebble.said().split("Added order").length - 1;

  test("a PHP site made over the API runs its code, a database user signs in, and TLS is trusted", async () => {
    tellOnFailure();
    const site = await active("php");
    writeFileSync(join(site.root_path, "index.php"), "<?php echo 'jumlah: ' . (40 + 2);");
    expect(await panel.machine.get(site.domain)).toMatchObject({ status: 200, body: "jumlah: 42" });

    const database = `app_${randomBytes(4).toString("hex")}`;
    const username = `u_${randomBytes(4).toString("hex")}`;
    const password = `Rahasia!${randomBytes(8).toString("hex")}`;
    const made = await call(panel, "POST", "/v1/db/databases", { name: database });
    expect(made).toEqual({ status: 201, body: { status: "ok", database } });
    const user = await call(panel, "POST", "/v1/db/users", { database, username, password });
    expect(user.body).toEqual({ status: "ok", database, username, host: "localhost" });
    const as = { user: username, password, database };
    expect(await panel.mariadb.queryAs(as, "SELECT 6 * 7 AS answer")).toEqual([{ answer: 42 }]);
    const { body } = await call<{ items: unknown[] }>(panel, "GET", "/v1/db/databases");
    expect(body.items).toContainEqual({ name: database, system: false });

    const issue = { domain: site.domain, email: "admin@example.com" };
    const issued = await call(panel, "POST", "/v1/ssl/issue", issue);
    expect(issued).toEqual({ status: 200, body: { status: "ok", domain: site.domain } });
    await trusted(site.domain);
    expect(await panel.machine.get(site.domain)).toMatchObject({ status: 301 });
    expect(await call(panel, "POST", "/v1/ssl/renew")).toMatchObject({ status: 200 });

    const rows = await panel.platform.sql("select to_jsonb(p) as row from panel_jobs p");
    const audit = await panel.platform.sql("select to_jsonb(a) as row from audit_entries a");
    const seen = [panel.platform.workerLog(), panel.agent.said(), panel.agent.journal()];
    seen.push(panel.mariadb.generalLog(), JSON.stringify(rows), JSON.stringify(audit));
    for (const text of seen) expect(text).not.toContain(password);
    expect(panel.agent.journal(), "inputs are not written down").not.toContain("passwordHash");
  }, 240_000);

  test("the audit trail names who did what, refused calls too", async () => {
    tellOnFailure();
    const site = await active("static");
    const taken = { domain: site.domain, root_path: `${site.root_path}-2`, runtime: "static" };
    expect((await call(panel, "POST", "/v1/sites", taken)).status).toBe(409);
    const stranger = { domain: "stranger.example", email: "admin@example.com" };
    expect((await call(panel, "POST", "/v1/ssl/issue", stranger)).status).toBeGreaterThanOrEqual(
      400,
    );
    const gone = await call<{ job: { id: string } }>(panel, "DELETE", `/v1/sites/${site.id}`);
    expect(gone.status).toBe(202);
    await ended(panel, gone.body.job.id);
    expect((await call(panel, "GET", `/v1/sites/${site.id}`)).status).toBe(404);
    expect((await panel.machine.get(site.domain)).status).toBe(404);
    await eventually(
      "the refusals to be written",
      async () => (await trail("action=ssl.issue.refused")).length > 0,
    );
    const entries = await trail("");
    const actions = entries.map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining([
        "auth.login.success",
        "server.create",
        "site.create",
        "site.create.refused",
        "site.delete.requested",
        "ssl.issue.refused",
      ]),
    );
    const [created] = entries.filter(({ metadata }) => metadata.includes(site.domain));
    expect(created?.actor_user).toMatch(/^usr_\d+$/);
  }, 240_000);

  test("an agent killed amid a site and amid a certificate finishes both, once each", async () => {
    tellOnFailure();
    const { site, job } = await orderSite(panel, "php");
    await eventually("the work to begin", async () => existsSync(site.root_path));
    await panel.agent.kill();
    await panel.agent.start();
    expect(await ended(panel, job.id)).toMatchObject({ status: "success" });
    expect(await panel.machine.get(site.domain)).toMatchObject({ status: 200 });

    const before = ordersAt();
    const issue = { domain: site.domain, email: "admin@example.com" };
    const asked = call<{ job?: { id: string } }>(panel, "POST", "/v1/ssl/issue", issue);
    await eventually("the order", () => isOrdered(site.domain));
    await panel.agent.kill();
    await panel.agent.start();
    const answer = await asked;
    if (answer.status === 202) await ended(panel, answer.body.job?.id ?? "");
    else expect(answer).toMatchObject({ status: 200 });
    await trusted(site.domain);
    expect(ordersAt()).toBe(before + 1);
    const { sitesDir } = panel.machine.settings.nginx;
    const vhosts = readdirSync(sitesDir).map((file) => readFileSync(join(sitesDir, file), "utf8"));
    expect(vhosts.filter((text) => text.includes(site.domain))).toHaveLength(1);
  }, 240_000);

  test("what is ordered while the link is cut waits, and is done once when it is mended", async () => {
    tellOnFailure();
    panel.wire.cut();
    onTestFinished(() => panel.wire.mend());
    await eventually("the server to be seen offline", async () => {
      const { body } = await call<{ link: { connected: boolean } }>(
        panel,
        "GET",
        `/v1/servers/${panel.server}`,
      );
      return !body.link.connected;
    });
    const { site, job } = await orderSite(panel, "static");
    const name = `cut_${randomBytes(4).toString("hex")}`;
    const pending = await call<{ status: string; job: { id: string } }>(
      panel,
      "POST",
      "/v1/db/databases",
      { name },
    );
    expect(pending).toMatchObject({ status: 202, body: { status: "pending" } });
    const waiting = await call(panel, "GET", `/v1/jobs/${job.id}`);
    expect(waiting.body).toMatchObject({ status: "queued" });
    expect(existsSync(site.root_path)).toBe(false);
    panel.wire.mend();
    expect(await ended(panel, job.id)).toMatchObject({ status: "success" });
    expect(await ended(panel, pending.body.job.id)).toMatchObject({ status: "success" });
    expect(await panel.machine.get(site.domain)).toMatchObject({ status: 200 });
    const creations = panel.mariadb.generalLog().split(`"${name}"`).length;
    expect(creations).toBeLessThan(4);
  }, 240_000);

  test("a result that the link lost on its way is told again, and the work is not done again", async () => {
    tellOnFailure();
    const site = await active("static");
    const before = ordersAt();
    const issue = { domain: site.domain, email: "admin@example.com" };
    const asked = call<{ job?: { id: string } }>(panel, "POST", "/v1/ssl/issue", issue);
    await eventually("the order", () => isOrdered(site.domain));
    panel.wire.cut();
    onTestFinished(() => panel.wire.mend());
    const serial = await trusted(site.domain);
    panel.wire.mend();
    const answer = await asked;
    if (answer.status === 202) {
      expect(await ended(panel, answer.body.job?.id ?? "")).toMatchObject({ status: "success" });
    }
    expect(await trusted(site.domain)).toBe(serial);
    expect(ordersAt()).toBe(before + 1);
  }, 240_000);
});
