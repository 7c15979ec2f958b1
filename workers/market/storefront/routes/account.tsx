import { Hono } from "hono";
import type { z } from "zod";
import { verifyToken } from "../../../../shared/auth/tokens.ts";
import { callerAddress } from "../../../../shared/http/caller.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import { endSession, RegisterBody, register, SignInBody, signIn } from "../../../identity/index.ts";
import { sentFields } from "../form.ts";
import { type Intent, RegisterPage, SignInPage, SignOutPage } from "../pages/account.tsx";
import { respond, siteOf } from "../respond.tsx";
import {
  actAsVisitor,
  dropToken,
  keepToken,
  limitAddress,
  type StorefrontEnv,
  safeNext,
  storeOf,
  type Visit,
} from "../visit.ts";
import { addAndLeadOn, quantityOf } from "./cart.tsx";

export const accountRoutes = new Hono<StorefrontEnv>();

type Fields = Record<string, string>;

interface Failure {
  error?: AppError;
  errors?: Fields;
  typed?: Fields;
}

const PAGES = { "/masuk": SignInPage, "/daftar": RegisterPage } as const;

for (const path of ["/masuk", "/daftar"] as const) {
  accountRoutes.get(path, async (c) => {
    const intent = intentOf(c, {
      next: c.req.query("next"),
      productId: c.req.query("produk"),
      quantity: c.req.query("jumlah"),
    });
    return await show(c, path, intent);
  });
}

accountRoutes.post("/masuk", async (c) => {
  await limitAddress(c);
  const { fields, intent } = await read(c);
  const parsed = SignInBody.safeParse(fields);
  if (!parsed.success) return await show(c, "/masuk", intent, wrong(parsed.error, fields));
  const { identifier = "", password } = parsed.data;
  try {
    return await enter(c, { identifier, password }, intent);
  } catch (error) {
    return await show(c, "/masuk", intent, refused(error, fields));
  }
});

accountRoutes.post("/daftar", async (c) => {
  await limitAddress(c);
  const { fields, intent } = await read(c);
  const parsed = RegisterBody.safeParse({ ...fields, role: "buyer" });
  if (!parsed.success) return await show(c, "/daftar", intent, wrong(parsed.error, fields));
  const { full_name, name: _, ...input } = parsed.data;
  try {
    await register(c.var.ctx, { ...input, name: full_name ?? "", address: callerAddress(c) });
    return await enter(c, { identifier: input.email, password: input.password }, intent);
  } catch (error) {
    return await show(c, "/daftar", intent, refused(error, fields));
  }
});

accountRoutes.get("/keluar", async (c) => {
  return await respond(c, <SignOutPage site={siteOf(c, await storeOf(c))} />);
});

accountRoutes.post("/keluar", async (c) => {
  // A session that has ended already is as good as ended. A store's page opens no socket.
  if (await actAsVisitor(c)) await endSession(c.var.ctx, null).catch(ignoreEnded);
  dropToken(c);
  return c.redirect("/", 303);
});

function ignoreEnded(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== "bad_token") throw error;
}

/** Signs in and does what the visitor came for. */
async function enter(
  c: Visit,
  credentials: { identifier: string; password: string },
  intent: Intent,
): Promise<Response> {
  const { ctx } = c.var;
  const { token, seconds } = await signIn(ctx, { ...credentials, address: callerAddress(c) });
  keepToken(c, token, seconds);
  const { next, productId, quantity = 1 } = intent;
  ctx.actor = await verifyToken(ctx.config, token, ctx.now());
  if (!productId || !ctx.actor) return c.redirect(next, 303);
  return await addAndLeadOn(c, { productId, quantity, next });
}

async function read(c: Visit): Promise<{ fields: Fields; intent: Intent }> {
  const fields = await sentFields(c);
  const { next, product_id: productId, quantity } = fields;
  return { fields, intent: intentOf(c, { next, productId, quantity }) };
}

function intentOf(
  c: Visit,
  asked: { next: string | undefined; productId: string | undefined; quantity: string | undefined },
): Intent {
  return {
    next: safeNext(asked.next, c.req.url),
    ...(asked.productId
      ? { productId: asked.productId, quantity: quantityOf(asked.quantity) }
      : {}),
  };
}

const typedOf = ({ password: _, ...typed }: Fields): Fields => typed;

/** What the schema found, at the field where it stands. */
function wrong(error: z.core.$ZodError, fields: Fields): Failure {
  const errors: Fields = {};
  for (const issue of error.issues) errors[String(issue.path[0] ?? "form")] ??= issue.message;
  const words = errors.form ?? "Periksa isian yang ditandai.";
  return { error: new AppError("invalid_input", words), errors, typed: typedOf(fields) };
}

/** What sign-in or registration says no to, in its own words; the rest is not for this page. */
function refused(error: unknown, fields: Fields): Failure {
  if (error instanceof AppError && error.code !== "internal")
    return { error, typed: typedOf(fields) };
  throw error;
}

async function show(c: Visit, path: keyof typeof PAGES, intent: Intent, failure: Failure = {}) {
  const Page = PAGES[path];
  const { error, errors = {}, typed = {} } = failure;
  const site = siteOf(c, await storeOf(c));
  const page = (
    <Page site={site} intent={intent} problem={error?.message} errors={errors} typed={typed} />
  );
  if (error?.status === 429) c.header("retry-after", String(error.meta.retry_after ?? 60));
  return await respond(c, page, error ? { status: error.status } : {});
}
