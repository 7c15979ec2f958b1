import { button, html, page } from "../common/html.ts";
import { controlAnswer, controlBody, type Handler, htmlAnswer, json } from "../common/server.ts";
import { returnUrl } from "./auth.ts";
import type { Account, Instagram } from "./engine.ts";

function view(instagram: Instagram, account: Account) {
  const mine = <T extends { accountId: string }>(all: Iterable<T>) =>
    [...all].filter((one) => one.accountId === account.id);
  return {
    ...account,
    quota: instagram.quotaOf(account.id),
    containers: mine(instagram.containers.values()).map((one) => ({
      ...one,
      status: instagram.statusOf(one),
    })),
    posts: mine(instagram.posts),
  };
}

function onAccount(
  instagram: Instagram,
  act: (account: Account, body: Record<string, unknown>) => void,
): Handler {
  return (request) => {
    const account = instagram.accounts.get(request.params.id ?? "");
    if (!account) return json(404, { error: "no such account" });
    act(account, controlBody(request));
    return controlAnswer(request, view(instagram, account));
  };
}

/** What tests and people do: accounts, codes, revocation, ageing, restriction. */
export function handRoutes(instagram: Instagram): Record<string, Handler> {
  return {
    "POST /_authorise": (request) => {
      const body = controlBody(request);
      const known = instagram.accounts.get(String(body.account_id ?? ""));
      const account = known ?? instagram.newAccount(String(body.username ?? ""));
      const redirect = String(body.redirect_uri ?? instagram.options.redirectUrl ?? "");
      const code = instagram.code(account, redirect);
      const state = body.state === undefined ? undefined : String(body.state);
      const location = redirect ? returnUrl(redirect, code, state) : null;
      return json(200, { account_id: account.id, username: account.username, code, location });
    },
    "POST /_revoke/:id": onAccount(instagram, ({ id }) => instagram.revoke(id)),
    "POST /_age/:id": onAccount(instagram, ({ id }, body) =>
      instagram.age(id, Number(body.seconds ?? 0) * 1000),
    ),
    "POST /_restrict/:id": onAccount(instagram, (account) => {
      account.restricted = true;
    }),
    "POST /_clock": (request) => {
      instagram.shiftMs = Number(controlBody(request).shift_ms ?? 0);
      return json(200, { now: new Date(instagram.clock()).toISOString() });
    },
    "GET /_state": ({ query }) => {
      const wanted = query.get("account_id");
      const all = [...instagram.accounts.values()].filter((one) => !wanted || one.id === wanted);
      return json(200, { accounts: all.map((one) => view(instagram, one)) });
    },
  };
}

/** For people: the accounts and what they have posted. */
export function postPage(instagram: Instagram): Handler {
  return () => {
    const cards = [...instagram.accounts.values()]
      .slice(-30)
      .reverse()
      .map((account) => {
        const { posts, quota } = view(instagram, account);
        const shown = posts
          .slice(-20)
          .reverse()
          .map(
            (post) =>
              html`<details><summary>${new Date(post.at).toISOString()}</summary><p>${post.caption}</p><small>${post.images.join(" ")}</small></details>`,
          );
        const cut = button("Putuskan aplikasi", `/_revoke/${account.id}`);
        return html`<article><h2>@${account.username}</h2><p>${account.id} · ${quota.used} dari ${quota.total} kiriman dalam 24 jam</p>${cut}${shown}</article>`;
      });
    const empty = cards.length === 0 ? html`<p class="dim">Belum ada akun.</p>` : null;
    return htmlAnswer(page("Instagram (tiruan lokal)", html`${empty}${cards}`));
  };
}
