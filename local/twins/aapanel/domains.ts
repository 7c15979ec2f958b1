import { done, Refused, refused, refusedLikeV2 } from "./answers.ts";
import { type Call, need, needInt } from "./call.ts";
import type { Panel } from "./engine.ts";
import { domainOf, readHost } from "./sites.ts";

function siteOf(panel: Panel, call: Call) {
  const site = panel.state.sites.get(needInt(call, "id"));
  if (!site || site.name !== need(call, "webname")) {
    throw new Refused("The specified site does not exist");
  }
  return site;
}

/** `host` or `host:port`, several by comma. */
export async function addDomains(panel: Panel, call: Call): Promise<unknown> {
  const site = siteOf(panel, call);
  const hosts = need(call, "domain")
    .split(",")
    .map((one) => readHost(one));
  for (const { name, port } of hosts) {
    if (panel.findDomain(name, port)) return refused("The domain you tried to add already exists!");
  }
  site.domains.push(...hosts.map((host) => domainOf(panel, host)));
  return done("Successfully added domain!");
}

export async function removeDomain(panel: Panel, call: Call): Promise<unknown> {
  const site = siteOf(panel, call);
  const name = need(call, "domain");
  const port = needInt(call, "port");
  const found = site.domains.find((one) => one.name === name && one.port === port);
  if (!found) return refusedLikeV2("The specified domain does not exist", panel.clock());
  if (site.domains.length === 1) {
    return refusedLikeV2("The last domain name cannot be deleted", panel.clock());
  }
  site.domains = site.domains.filter((one) => one !== found);
  return done("Successfully deleted!");
}

export async function listDomains(panel: Panel, call: Call): Promise<unknown> {
  const site = panel.state.sites.get(needInt(call, "id"));
  const domains = (site?.domains ?? []).map(({ id, name }) => ({ id, name }));
  return { domains, email: "" };
}
