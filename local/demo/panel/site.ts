import { writeFileSync } from "node:fs";
import { until } from "../http.ts";
import { check } from "../narrator.ts";
import { ask, type Job, jobEnd, type Operator, panel } from "./calls.ts";
import type { Machine } from "./machine.ts";

export interface Site {
  id: string;
  domain: string;
  root_path: string;
  runtime: string;
  status: string;
}

const PAGE = `<?php echo "Kopi Kelud, ", 6 * 7, " cangkir, PHP ", PHP_MAJOR_VERSION; ?>\n`;

/** A PHP site, made through the API and answering over HTTP. */
export async function makeSite(operator: Operator, machine: Machine): Promise<Site> {
  const name = `kopi-${crypto.randomUUID().slice(0, 8)}`;
  const json = {
    domain: `${name}.web.id`,
    root_path: `${machine.sitesRoot}/${name}`,
    runtime: "php",
  };
  const made = await ask<{ site: Site; job: Job }>(operator, "POST", "/v1/sites", json);
  check("a new site", made.site.status, "provisioning");
  const job = await jobEnd(operator, made.job);
  const site = await ask<Site>(operator, "GET", `/v1/sites/${made.site.id}`);
  check("the site", site.status, "active");
  operator.tell.step(
    `Site ${site.domain} made: own user, PHP pool and vhost, tried by the server itself`,
    (job.lines ?? []).map(({ text }) => text).join("; "),
  );
  writeFileSync(`${site.root_path}/index.php`, PAGE, { mode: 0o644 });
  const { status, body } = await until(
    "PHP answers",
    () => machine.visit(site.domain),
    (seen) => seen.body.includes("42"),
  );
  operator.tell.step(`A visitor gets ${status} from nginx and PHP-FPM, for real`, body.trim());
  return site;
}

/** What an operator must not be able to do by a slip of the keyboard. */
export async function refuseHostile(operator: Operator, site: Site): Promise<void> {
  const refused = [
    { ...site, domain: "lain.web.id" },
    { domain: "lain.web.id", root_path: "/etc/nginx", runtime: "php" },
    { domain: "lain.web.id", root_path: `${site.root_path}/../x;}`, runtime: "php" },
    { domain: "lain.web.id; return 301", root_path: "/var/www/x", runtime: "php" },
  ].map(({ domain, root_path, runtime }) => ({ domain, root_path, runtime }));
  const told: string[] = [];
  for (const json of refused) {
    const { status, body } = await panel(operator, "POST", "/v1/sites", json);
    check("a refusal", status === 400 || status === 409, true);
    told.push(`${status} ${(body as { error: string }).error}`);
  }
  operator.tell.step(
    "A taken folder, /etc, a way out and a line of nginx are refused",
    told.join(", "),
  );
}

/** Takes the site down with its files. */
export async function removeSite(operator: Operator, machine: Machine, site: Site): Promise<void> {
  const path = `/v1/sites/${site.id}?remove_files=true`;
  const [first, second] = [
    await ask<{ job: Job }>(operator, "DELETE", path),
    await panel(operator, "DELETE", path),
  ];
  await jobEnd(operator, first.job);
  check("the site", (await panel(operator, "GET", `/v1/sites/${site.id}`)).status, 404);
  check("a visit", (await machine.visit(site.domain)).status, 404);
  const again = (second.body as { job?: Job }).job?.id;
  check("the second DELETE", again === undefined || again === first.job.id, true);
  operator.tell.step("Site taken down, asked twice: one job, nothing left", first.job.id);
}
