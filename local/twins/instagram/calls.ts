import { isFetchable } from "../common/fetch-image.ts";
import { isObject, parseJson } from "../common/fields.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import type { Account, Container, Instagram } from "./engine.ts";
import { answer, isWrongName, type WrongName, wrongs } from "./errors.ts";

/** Fields of a query, a form or a JSON body alike, as the Graph API takes them. */
export function fieldsOf(request: TwinRequest): Map<string, string> {
  const fields = new Map(request.query);
  const type = request.header("content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    for (const [name, value] of new URLSearchParams(request.raw)) fields.set(name, value);
  }
  const body = type.startsWith("application/json") ? parseJson(request.raw) : null;
  for (const [name, value] of Object.entries(isObject(body) ? body : {})) {
    fields.set(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  return fields;
}

/** A token comes as a field or as a bearer header. */
export function tokenOf(request: TwinRequest): string {
  const bearer = request.header("authorization")?.replace(/^Bearer /, "");
  return fieldsOf(request).get("access_token") ?? bearer ?? "";
}

function wrongCaption(caption: string): WrongName | null {
  if ([...caption].length > 2200) return "caption";
  const count = (pattern: RegExp) => [...caption.matchAll(pattern)].length;
  const tooMany = count(/#[\p{L}\p{N}_]+/gu) > 30 || count(/@[\w.]+/g) > 20;
  return tooMany ? "caption" : null;
}

/** Parameters that belong to a Facebook Page, or to nobody. */
const foreign = ["scheduled_publish_time", "published", "message"];

async function createContainer(
  instagram: Instagram,
  account: Account,
  request: TwinRequest,
): Promise<TwinAnswer> {
  const fields = fieldsOf(request);
  const strange = foreign.find((name) => fields.has(name));
  if (strange) return answer(wrongs.parameter, `(#100) ${strange} is not supported`);
  const recent = instagram.recent(
    instagram.containers.values(),
    account.id,
    (one) => one.createdAt,
  );
  if (recent.length >= 400) return answer(wrongs.quota);
  const caption = fields.get("caption") ?? "";
  const wrong = wrongCaption(caption);
  if (wrong) return answer(wrongs[wrong]);
  const children = (fields.get("children") ?? "").split(",").filter(Boolean);
  const imageUrl = fields.get("image_url") ?? "";
  const isCarousel = fields.get("media_type") === "CAROUSEL";
  const refused = isCarousel
    ? wrongChildren(instagram, account, children)
    : await wrongImage(instagram, imageUrl);
  if (refused) return answer(wrongs[refused]);
  const container = instagram.open({
    accountId: account.id,
    imageUrl,
    caption,
    altText: fields.get("alt_text") ?? "",
    children: isCarousel ? children : [],
    isItem: fields.get("is_carousel_item") === "true",
  });
  return json(200, { id: container.id });
}

async function wrongImage(instagram: Instagram, url: string): Promise<WrongName | null> {
  if (!url) return "parameter";
  return isFetchable(url) ? await instagram.judge(url) : "unfetchable";
}

function wrongChildren(instagram: Instagram, account: Account, ids: string[]): WrongName | null {
  if (ids.length < 2 || ids.length > 10) return "carousel";
  const fits = ids.every((id) => {
    const one = instagram.containers.get(id);
    return one?.accountId === account.id && one.isItem;
  });
  return fits ? null : "unknownMedia";
}

function publish(instagram: Instagram, account: Account, request: TwinRequest): TwinAnswer {
  const container = instagram.containers.get(fieldsOf(request).get("creation_id") ?? "");
  if (!container || container.accountId !== account.id || container.isItem) {
    return answer(wrongs.gone);
  }
  if (account.restricted) return answer(wrongs.restricted);
  const status = instagram.statusOf(container);
  if (status === "EXPIRED") return answer(wrongs.gone);
  if (status === "IN_PROGRESS" || status === "ERROR") return answer(wrongs.notReady);
  const { used, total } = instagram.quotaOf(account.id);
  if (used >= total) return answer(wrongs.quota);
  return json(200, { id: instagram.publish(container).id });
}

/** The fields asked for, and the id always. */
function pick(all: Record<string, unknown>, asked: string | null): Record<string, unknown> {
  const names = (asked ?? "").split(",").map((name) => name.trim());
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => name === "id" || names.includes(name)),
  );
}

function containerView(
  instagram: Instagram,
  container: Container,
  asked: string | null,
): TwinAnswer {
  const status = instagram.statusOf(container);
  return json(
    200,
    pick({ id: container.id, status_code: status, status: `${status}: ${container.id}` }, asked),
  );
}

/** A post by its id, or a container, as the Graph API finds both under the root. */
function node(instagram: Instagram, account: Account, request: TwinRequest): TwinAnswer {
  const id = request.params.id ?? "";
  const asked = request.query.get("fields");
  const container = instagram.containers.get(id);
  if (container?.accountId === account.id) return containerView(instagram, container, asked);
  const post = instagram.posts.find((one) => one.id === id && one.accountId === account.id);
  if (!post) return answer(wrongs.unknownMedia);
  const permalink = `https://www.instagram.com/p/${BigInt(id).toString(36)}/`;
  const timestamp = new Date(post.at).toISOString();
  return json(200, pick({ id, caption: post.caption, permalink, timestamp }, asked));
}

type Act = (account: Account, request: TwinRequest) => TwinAnswer | Promise<TwinAnswer>;

/** instagram.md section 3; every call is of one account, whose token it carries. */
export function callRoutes(instagram: Instagram): Record<string, Handler> {
  const withToken =
    (act: Act): Handler =>
    (request) => {
      const account = instagram.whose(tokenOf(request));
      if (!account) return answer(wrongs.token);
      const text = `${account.id}\n${request.path}?${request.query}\n${request.raw}`;
      const dialled = instagram.own.text("wrong", text, "server");
      if (dialled !== null) return answer(wrongs[isWrongName(dialled) ? dialled : "server"]);
      return act(account, request);
    };
  const ofAccount = (act: Act): Handler =>
    withToken((account, request) =>
      request.params.id === account.id ? act(account, request) : answer(wrongs.unknownMedia),
    );
  const me = withToken((account, { query }) => {
    const whole = { id: account.scopedId, user_id: account.id, username: account.username };
    const data = pick(whole, query.get("fields"));
    return json(200, instagram.own.take("bareAnswers", account.id) ? data : { data: [data] });
  });
  const limit = ofAccount((account, { query }) => {
    const { used, total } = instagram.quotaOf(account.id);
    const whole = { quota_usage: used, config: { quota_total: total, quota_duration: 86_400 } };
    return json(200, { data: [pick(whole, query.get("fields"))] });
  });
  return {
    "GET /me": me,
    "GET /:version/me": me,
    "GET /:version/:id": withToken((account, request) => node(instagram, account, request)),
    "POST /:version/:id/media": ofAccount((account, request) =>
      createContainer(instagram, account, request),
    ),
    "POST /:version/:id/media_publish": ofAccount((account, request) =>
      publish(instagram, account, request),
    ),
    "GET /:version/:id/content_publishing_limit": limit,
  };
}
