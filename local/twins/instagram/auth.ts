import { button, html, page } from "../common/html.ts";
import {
  controlBody,
  type Handler,
  htmlAnswer,
  json,
  type TwinAnswer,
  type TwinRequest,
} from "../common/server.ts";
import { type Account, dayMs, type Instagram } from "./engine.ts";
import { answer, wrongs } from "./errors.ts";

const scopes = ["instagram_business_basic", "instagram_business_content_publish"];

/** Where the browser goes: the code with Meta's `#_` behind it, and the state. */
export function returnUrl(redirect: string, code: string, state: string | undefined): string {
  const url = new URL(redirect);
  url.searchParams.set("code", code);
  if (state !== undefined) url.searchParams.set("state", state);
  return `${url.href}#_`;
}

/** What is wrong with an authorise link, or null. */
function wrongLink({ options }: Instagram, query: URLSearchParams): string | null {
  if (query.get("client_id") !== options.appId) return "Invalid platform app: client_id";
  if (query.get("response_type") !== "code") return "response_type must be code";
  const redirect = query.get("redirect_uri") ?? "";
  if (!/^https?:\/\//.test(redirect)) return "redirect_uri is no address";
  if (options.redirectUrl && redirect !== options.redirectUrl) return "Invalid redirect_uri";
  const asked = (query.get("scope") ?? "").split(",");
  return asked.every((one) => scopes.includes(one)) ? null : "Invalid scope";
}

function authorisePage(instagram: Instagram): Handler {
  return ({ query }) => {
    const wrong = wrongLink(instagram, query);
    if (wrong) return htmlAnswer(page("Instagram", html`<p>${wrong}</p>`), 400);
    const hidden = Object.fromEntries(query);
    const accounts = [...instagram.accounts.values()]
      .slice(-20)
      .map((one) =>
        button(
          `Izinkan sebagai ${one.username}`,
          "/_agree",
          { ...hidden, account_id: one.id },
          true,
        ),
      );
    const fresh = button("Izinkan akun baru", "/_agree", hidden, accounts.length === 0);
    return htmlAnswer(page("Instagram: izinkan aplikasi", html`${accounts}${fresh}`));
  };
}

function agree(instagram: Instagram, request: TwinRequest): TwinAnswer {
  const body = controlBody(request);
  const known = instagram.accounts.get(String(body.account_id ?? ""));
  const account: Account = known ?? instagram.newAccount("");
  const redirect = String(body.redirect_uri ?? "");
  const code = instagram.code(account, redirect);
  const state = body.state === undefined ? undefined : String(body.state);
  return { status: 302, headers: { location: returnUrl(redirect, code, state) }, body: "" };
}

/** The old form of errors, which the exchange alone has. */
function refused(message: string): TwinAnswer {
  return json(400, { error_type: "OAuthException", code: 400, error_message: message });
}

function exchange(instagram: Instagram, request: TwinRequest): TwinAnswer {
  const type = request.header("content-type") ?? "";
  if (!/^(application\/x-www-form-urlencoded)/.test(type))
    return refused("the body must be a form");
  const form = new URLSearchParams(request.raw);
  const { appId, appSecret } = instagram.options;
  if (form.get("client_id") !== appId || form.get("client_secret") !== appSecret) {
    return refused("Invalid platform app");
  }
  if (form.get("grant_type") !== "authorization_code") return refused("Invalid grant_type");
  const code = form.get("code") ?? "";
  const known = instagram.codes.get(code);
  if (!known || known.until <= instagram.clock()) return refused("Invalid authorization code");
  if (known.redirect !== form.get("redirect_uri")) {
    return refused(
      "Error validating verification code. Please make sure your redirect_uri is identical",
    );
  }
  instagram.codes.delete(code);
  const account = instagram.accounts.get(known.accountId);
  const data = {
    access_token: instagram.token(known.accountId, "short").token,
    user_id: account?.scopedId,
    permissions: scopes.join(","),
  };
  const bare = instagram.own.take("bareAnswers", known.accountId);
  return json(200, bare ? { ...data, permissions: scopes } : { data: [data] });
}

const long = ({ token, expiresIn }: { token: string; expiresIn: number }) =>
  json(200, { access_token: token, token_type: "bearer", expires_in: expiresIn });

function lengthen(instagram: Instagram, { query }: TwinRequest): TwinAnswer {
  if (query.get("grant_type") !== "ig_exchange_token") return answer(wrongs.parameter);
  if (query.get("client_secret") !== instagram.options.appSecret) {
    return answer(wrongs.parameter, "Error validating client secret.");
  }
  const token = query.get("access_token") ?? "";
  const account = instagram.whose(token);
  if (!account || instagram.tokens.get(token)?.kind !== "short") return answer(wrongs.token);
  return long(instagram.token(account.id, "long"));
}

/** A long token of at least a day that still works lives 60 days more; the text stays the same. */
function refresh(instagram: Instagram, { query }: TwinRequest): TwinAnswer {
  if (query.get("grant_type") !== "ig_refresh_token") return answer(wrongs.parameter);
  const token = query.get("access_token") ?? "";
  const known = instagram.tokens.get(token);
  if (!instagram.whose(token) || !known || known.kind !== "long") return answer(wrongs.token);
  const now = instagram.clock();
  if (now - known.madeAt < dayMs) {
    return answer(wrongs.parameter, "The access token must be at least 24 hours old.");
  }
  known.madeAt = now;
  known.until = now + 60 * dayMs;
  return long({ token, expiresIn: (60 * dayMs) / 1000 });
}

/** instagram.md section 2; three hosts of Meta's are one here. */
export function authRoutes(instagram: Instagram): Record<string, Handler> {
  return {
    "GET /oauth/authorize": authorisePage(instagram),
    "POST /_agree": (request) => agree(instagram, request),
    "POST /oauth/access_token": (request) => exchange(instagram, request),
    "GET /access_token": (request) => lengthen(instagram, request),
    "GET /refresh_access_token": (request) => refresh(instagram, request),
  };
}
