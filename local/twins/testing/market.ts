import { type Answer, call } from "./call.ts";

/** A marketplace twin from a person's side. */
export interface Side {
  url: string;
  hand(path: string, body?: unknown): Promise<Answer>;
  dial(match: string, dials: Record<string, unknown>): Promise<Answer>;
  state(shopId: string): Promise<Answer>;
}

export function sideOf(url: string): Side {
  return {
    url,
    hand: (path, body = {}) => call("POST", `${url}/_${path}`, body),
    dial: (match, dials) => call("PUT", `${url}/_dials`, { match, ...dials }),
    state: (shopId) => call("GET", `${url}/_state?shop_id=${shopId}`),
  };
}

/** A button of a page, pressed by a browser: where it leads. */
export async function press(pageUrl: string, label: string): Promise<Response> {
  const page = await fetch(pageUrl);
  const markup = await page.text();
  const form = markup.split("<form").find((one) => one.includes(label));
  if (!form) throw new Error(`no button ${label} on ${pageUrl} (${page.status}): ${markup}`);
  const action = /action="([^"]+)"/.exec(form)?.[1] ?? "/";
  const fields = [...form.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, value.replaceAll("&amp;", "&")],
  );
  return await fetch(new URL(action, pageUrl), {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams(fields),
  });
}
