import { htmlAnswer, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { actions, postOnly } from "./actions.ts";
import { errorPage, page404, Raised, Refused, refused } from "./answers.ts";
import { type Call, plainFields, readable, readCall } from "./call.ts";
import type { Panel } from "./engine.ts";
import { isToken } from "./signature.ts";

const longestPath = 256;
const longestUrl = 1024;
const longestJournal = 2_000;

/** `a`, `a-b`, `10.0.0.0/8`, `10.0.*` and the words for everybody, as the international edition takes them. */
export function isListed(whitelist: readonly string[], address: string): boolean {
  return whitelist.some((rule) => {
    if (["*", "all", "0.0.0.0", "0.0.0.0/0", "::", "::/0"].includes(rule)) return true;
    if (rule.includes("*")) return wildcard(rule).test(address);
    const asked = number(address);
    if (asked === null) return rule === address;
    const [from = "", until = from] = rule.split("-");
    const [net = "", bits] = from.split("/");
    const low = number(net);
    if (low === null) return false;
    if (bits !== undefined) return asked >>> (32 - Number(bits)) === low >>> (32 - Number(bits));
    return asked >= low && asked <= (number(until) ?? low);
  });
}

function wildcard(rule: string): RegExp {
  return new RegExp(`^${rule.replaceAll(".", "\\.").replaceAll("*", "\\d+")}$`);
}

/** An IPv4 address as a number; null for anything else. */
function number(address: string): number | null {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** What those who are not signed in get: a browser is sent to the login page, all others see no such page. */
function stranger(request: TwinRequest): TwinAnswer {
  if (!request.header("user-agent")?.startsWith("Mozilla/")) return page404();
  return { ...htmlAnswer("", 302), headers: { location: "/login" } };
}

/** Who may not call, or null. Neither a missing field nor a closed API says so: both look like a page that is not there. */
function refusal(panel: Panel, request: TwinRequest, call: Call): TwinAnswer | null {
  const { request_time: time, request_token: token } = call.form;
  if (!panel.state.apiOpen || time === undefined || token === undefined) return stranger(request);
  const address = panel.own.text("callerAddress", call.text, "203.0.113.7") ?? "127.0.0.1";
  const { failures, whitelist } = panel.state;
  const failed = failures.get(address) ?? 0;
  const say = (msg: string) => json(200, refused(msg));
  if (failed >= panel.lockAfter) {
    return say("20 consecutive verification failures, prohibited for 1 hour");
  }
  if (!isListed(whitelist, address)) {
    failures.set(address, failed + 1);
    return say(`IP validation failed, your access IP is[${address}]`);
  }
  if (!isToken(token, panel.apiKey, time)) {
    failures.set(address, failed + 1);
    return say("Secret key verification failed");
  }
  failures.delete(address);
  return null;
}

async function act(panel: Panel, call: Call): Promise<TwinAnswer> {
  const action = actions[call.group]?.[call.action];
  if (!action) return json(200, refused("Specific parameters are invalid!"));
  try {
    return json(200, await action(panel, call));
  } catch (error) {
    if (error instanceof Refused) return json(200, refused(error.message));
    if (error instanceof Raised) return page404();
    throw error;
  }
}

async function withOwnFaults(panel: Panel, call: Call): Promise<TwinAnswer> {
  const path = `/${call.group}?action=${call.action}`;
  const say = panel.own.take("say", call.text, path);
  const raise = say ? undefined : panel.own.take("raise", call.text, path);
  const fault = say ?? raise;
  const answer = !fault || fault.acts ? await act(panel, call) : page404();
  if (say) {
    const msg = typeof say.value === "string" ? say.value : "The panel is busy";
    return json(200, refused(msg));
  }
  return raise ? page404() : answer;
}

function record(panel: Panel, call: Call, subject: string, answer: TwinAnswer): void {
  const { request_token: _token, ...fields } = call.form;
  const said = String(answer.body).slice(0, 500);
  const { group, action } = call;
  const at = new Date(panel.clock()).toISOString();
  panel.state.journal.push({
    at,
    group,
    action,
    fields,
    subject,
    status: answer.status,
    answer: said,
  });
  if (panel.state.journal.length > longestJournal) panel.state.journal.shift();
}

/** What is known about the site or the FTP account that a call names by number or name. */
export function subjectOf(panel: Panel, request: TwinRequest): string {
  const { id, siteName, webname } = plainFields(request);
  const site = panel.state.sites.get(Number(id)) ?? panel.siteNamed(siteName ?? webname ?? "");
  const ftp = request.path === "/ftp" ? panel.state.ftps.get(Number(id)) : undefined;
  const known = ftp
    ? [ftp.name, ftp.ps]
    : site && request.path !== "/ftp"
      ? [site.name, site.path]
      : [];
  return [...known, readable(request)].join("\n");
}

/** A call of the panel's API: the limits of its address, who may call, what it does. */
export async function answerCall(panel: Panel, request: TwinRequest): Promise<TwinAnswer> {
  panel.rollOver();
  const url = `${request.path}?${request.query}`;
  if (request.path.length > longestPath || url.length > longestUrl) return page404();
  const subject = subjectOf(panel, request);
  const call = await readCall(request, subject);
  const isGroup = Object.hasOwn(actions, call.group) && request.path === `/${call.group}`;
  const stopped = refusal(panel, request, call);
  if (stopped) {
    record(panel, call, subject, stopped);
    return stopped;
  }
  if (!isGroup) return page404();
  if (request.method !== "POST" && (request.method !== "GET" || postOnly.has(call.group))) {
    return errorPage(405, "Method Not Allowed");
  }
  const answer = await withOwnFaults(panel, call);
  record(panel, call, subject, answer);
  return answer;
}
